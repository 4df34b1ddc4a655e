/** The folders of this machine and what is written in their place. */
export declare function machineFolders(): [folder: string, name: string][];
/** Which of `folders` the bytes name. */
export declare function foldersNamed(bytes: Uint8Array, folders: readonly string[]): string[];
