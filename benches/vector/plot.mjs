/**
 * Curves of recall and queries a second as an SVG: recall to the right (stretched towards 1), the rate
 * upwards (logarithmic), one line a contender. Readable on light and on dark ground.
 */

const [WIDTH, HEIGHT] = [860, 520];
const FRAME = { left: 76, right: 230, top: 48, bottom: 56 };
const RECALLS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
/** Beyond this the curves are not drawn: so few errors are left that chance decides. */
const MOST = 0.9995;
/** Told apart also by who does not see all colours (after Okabe and Ito), and each has its own mark. */
const COLOURS = ["#d55e00", "#e69f00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#8a8a8a", "#b8860b"];
const MARKS = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="3.5"/>`,
  (x, y) => `<rect x="${x - 3}" y="${y - 3}" width="6" height="6"/>`,
  (x, y) => `<path d="M${x} ${y - 4}l4 7h-8z"/>`,
  (x, y) => `<path d="M${x} ${y - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>`,
];

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const short = (number) => Number(number.toFixed(1));
const stretch = (recall) => -Math.log10(1 - Math.min(recall, MOST));

/** The ticks 1, 2, 5, 10, ... between two rates. */
function rateTicks(least, most) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    for (const step of [1, 2, 5]) if (step * 10 ** power >= least && step * 10 ** power <= most) ticks.push(step * 10 ** power);
  }
  return ticks;
}

/** `curves`: `{ name, points: { recall, rate }[] }`, in the order of the legend. */
export function plot(title, curves) {
  const shown = curves.map(({ name, points }) => ({ name, points: points.filter(({ recall }) => recall >= RECALLS[0]).sort((a, b) => a.ef - b.ef) }));
  const all = shown.flatMap(({ points }) => points);
  const rates = all.map(({ rate }) => rate);
  const [least, most] = [Math.min(...rates) / 1.2, Math.max(...rates) * 1.2];
  const from = stretch(RECALLS.findLast((tick) => tick <= Math.min(...all.map(({ recall }) => recall))) ?? RECALLS[0]);
  const to = stretch(MOST);
  const x = (recall) => short(FRAME.left + (stretch(recall) - from) / (to - from) * (WIDTH - FRAME.left - FRAME.right));
  const y = (rate) => short(HEIGHT - FRAME.bottom - Math.log(rate / least) / Math.log(most / least) * (HEIGHT - FRAME.top - FRAME.bottom));
  const [right, bottom] = [WIDTH - FRAME.right, HEIGHT - FRAME.bottom];
  const grid = [
    ...RECALLS.filter((tick) => stretch(tick) >= from).map((tick) => (
      `<path class="grid" d="M${x(tick)} ${FRAME.top}V${bottom}"/><text x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`)),
    ...rateTicks(least, most).map((tick) => (
      `<path class="grid" d="M${FRAME.left} ${y(tick)}H${right}"/><text x="${FRAME.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toLocaleString("en")}</text>`)),
  ];
  const lines = shown.map(({ name, points }, at) => {
    const [colour, mark] = [COLOURS[at % COLOURS.length], MARKS[at % MARKS.length]];
    const path = points.map(({ recall, rate }, i) => `${i === 0 ? "M" : "L"}${x(recall)} ${y(rate)}`).join("");
    const legend = FRAME.top + 12 + at * 22;
    return `<g stroke="${colour}" fill="${colour}"><path class="line" d="${path}"/>${points.map(({ recall, rate }) => mark(x(recall), y(rate))).join("")}`
      + `<path class="line" d="M${right + 16} ${legend}h24"/>${mark(right + 28, legend)}</g><text x="${right + 48}" y="${legend + 4}">${escaped(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8888; stroke-width: 0.6 }
.line { fill: none; stroke-width: 2 }
.ground { fill: #fff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ground { fill: #0d1117 } }
</style>
<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>
<text class="title" x="${FRAME.left}" y="28">${escaped(title)}</text>
${grid.join("\n")}
<text x="${(FRAME.left + right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">recall@10</text>
<text transform="translate(18 ${(FRAME.top + bottom) / 2}) rotate(-90)" text-anchor="middle">queries a second, one thread</text>
${lines.join("\n")}
</svg>
`;
}
