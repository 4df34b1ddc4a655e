/**
 * Lints for the TypeScript of the package, the page and the tests, and for the scripts.
 * Layout is not linted. What is: mistakes with promises, loose types, and ways to run stored text as code.
 */
import { existsSync } from "node:fs";
import tseslint from "typescript-eslint";

const typed = ["pkg/src/**/*.ts", "www/**/*.{ts,tsx}", "tests/**/*.ts"];

/** Stored text is shown as text and never as markup. */
const markup = [
  ...["innerHTML", "outerHTML", "srcdoc"].map((name) => ({
    selector: `AssignmentExpression[left.property.name="${name}"]`,
    message: `Stored text must not become markup: use textContent in place of ${name}.`,
  })),
  {
    selector: 'CallExpression[callee.property.name=/^(insertAdjacentHTML|setHTMLUnsafe|parseHTMLUnsafe|createContextualFragment)$/]',
    message: "Stored text must not become markup: make elements and text nodes.",
  },
  {
    selector: 'CallExpression[callee.object.name="document"][callee.property.name=/^write(ln)?$/]',
    message: "document.write is an injection waiting to happen.",
  },
  {
    selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
    message: "Stored text must not become markup.",
  },
];

/** Core rules that hold for every file. */
const always = {
  "eqeqeq": ["error", "always", { null: "ignore" }],
  "no-console": "error",
  "no-constant-condition": ["error", { checkLoops: false }],
  "no-debugger": "error",
  "no-dupe-keys": "error",
  "no-empty": "error",
  "no-eval": "error",
  "no-fallthrough": "error",
  "no-implied-eval": "off",
  "no-new-func": "error",
  "no-prototype-builtins": "error",
  "no-restricted-syntax": ["error", ...markup],
  "no-self-assign": "error",
  "no-self-compare": "error",
  "no-undef-init": "error",
  "no-unreachable": "error",
  "no-unsafe-finally": "error",
  "no-var": "error",
  "prefer-const": "error",
  "valid-typeof": "error",
};

export default [
  { ignores: ["**/node_modules/", "pkg/dist*/", "pkg/wasm*/", "www/dist/", "target/", ".tools/", "benches/results/", "**/*.d.ts", "**/*.d.mts"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["scripts/**/*.mjs", "benches/**/*.mjs", "*.mjs"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: { ...always, "@typescript-eslint/no-unused-vars": "error" },
  },
  {
    files: [...typed, "vitest.config.ts"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        project: ["tsconfig.json", "www/tsconfig.json", "tsconfig.tests.json"].filter((name) => existsSync(new URL(name, import.meta.url))),
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      ...always,
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": "allow-with-description" }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports", disallowTypeAnnotations: false }],
      "@typescript-eslint/no-base-to-string": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-for-in-array": "error",
      "@typescript-eslint/no-implied-eval": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unnecessary-type-assertion": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/only-throw-error": "error",
      // The reason of an abort signal is whatever the caller gave.
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true, allowThrowingAny: true }],
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/return-await": ["error", "in-try-catch"],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // Tests reach into results that they have just made, throw what a rude caller throws, and print their seeds.
    files: ["tests/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/only-throw-error": "off",
      "no-console": "off",
    },
  },
  {
    // Stored values are `any` to whoever reads them, but not to the package itself.
    files: ["pkg/src/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-call": "error",
      "@typescript-eslint/no-unsafe-return": "error",
    },
  },
];
