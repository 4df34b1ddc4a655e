/** Fields of a record as small labels. */
export function Chips({ chips }: { chips: readonly (readonly [string, string])[] }) {
  return (
    <span class="chips">
      {chips.map(([name, value]) => (
        <span class="chip" key={name}><span class="chip-name"><bdi>{name}</bdi></span> <bdi>{value}</bdi></span>
      ))}
    </span>
  );
}
