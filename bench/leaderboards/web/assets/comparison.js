// Two entries side by side: the paired comparison, and the samples on which they differ.
const MAX_DIFFERING = 20;

function choose(entry) {
  const there = view.compared.includes(entry);
  view.compared = there ? view.compared.filter((each) => each !== entry) : [...view.compared, entry];
  draw();
  const label = BOARD.rows.find((row) => row.entry === entry).label;
  document.querySelector(`#board input[aria-label="${CSS.escape(`Compare ${label}`)}"]`)?.focus();
}

function verdict(first, second) {
  for (const [a, b, difference, interval, p, outcome] of BOARD.pairs) {
    if (a === first && b === second) return { difference, interval, p, outcome };
  }
  return null;
}

function drawComparison() {
  const panel = byId("comparison");
  const places = view.compared.map((entry) => BOARD.rows.findIndex((row) => row.entry === entry)).sort((a, b) => a - b);
  panel.hidden = !places.length;
  const shown = places.join();
  if (panel.dataset.shown === shown) return;
  panel.dataset.shown = shown;
  if (places.length < 2) {
    panel.replaceChildren(...places.map((place) => element("p", {},
      `${BOARD.rows[place].label} is chosen; choose a second entry to compare it with.`)));
    return;
  }
  const [a, b] = places.map((place) => BOARD.rows[place]);
  panel.replaceChildren(
    element("div", { class: "panel-head" }, element("h2", {}, `${a.label} or ${b.label}?`),
      element("button", { type: "button", onclick: () => { view.compared = []; draw(); byId("search").focus(); } }, "Close")),
    verdictText(a, b, verdict(...places)),
    sideBySide(places),
    differingSamples(a, b));
}

function verdictText(a, b, found) {
  if (!found) {
    return element("p", {}, "The two were not compared sample by sample: one of them is incomplete, or the board has too many entries. ",
      command("bench compare"), " compares two rows.");
  }
  const { difference, interval, p, outcome } = found;
  const words = {
    better: "is better than", worse: "is worse than", "no difference shown": "shows no difference from",
  }[outcome];
  const average = BOARD.average ? `, ${BOARD.average} over the test sets` : "";
  return element("p", { class: "verdict" }, element("strong", {}, `${b.label} ${words} ${a.label}`),
    `: ${difference} ${BOARD.metric.heading}${average}, 95 % interval ${interval}, p ${p.startsWith("<") ? p : `= ${p}`}, on the same samples.`);
}

function sideBySide(places) {
  const names = places.map((place) => BOARD.rows[place].label);
  const scored = BOARD.columns.filter((column) => column.higherIsBetter !== null);
  const rows = scored.map((column) => [column.heading, ...places.map((place) => column.cells[place])]);
  return table("Scores of both", ["metric", ...names], rows);
}

function differingSamples(a, b) {
  const choices = [];
  for (const first of a.seeds) {
    const second = b.seeds.find((seed) => seed.seed === first.seed) ?? b.seeds[0];
    for (const [test, key] of Object.entries(first.evaluations)) {
      if (second?.evaluations[test]) {
        choices.push({ test, keys: [key, second.evaluations[test]], label: `${test}, seeds ${first.seed} and ${second.seed}` });
      }
    }
  }
  if (!choices.length) return null;
  const content = element("div", {});
  const show = (choice) => {
    const absent = choice.keys.find((key) => !isAtHand(key));
    if (absent) {
      content.replaceChildren(notAtHand(absent));
      return;
    }
    content.replaceChildren(element("p", { class: "soft" }, "loading …"));
    differences(choice, [a, b]).then(
      (children) => content.replaceChildren(...children),
      (error) => content.replaceChildren(element("p", {}, error.message)));
  };
  const select = element("select", { "aria-label": "Test set and seeds", onchange: () => show(choices[select.selectedIndex]) },
    ...choices.map((choice) => element("option", {}, choice.label)));
  show(choices[0]);
  return section("Samples that one of them reads and the other does not", PARTS ? select : null, content);
}

function wrongBits(text) {
  const bytes = atob(text);
  return Uint8Array.from(bytes, (letter) => letter.charCodeAt(0));
}

async function differences({ keys }, rows) {
  const errors = await Promise.all(keys.map((key) => part(`${key}-errors`)));
  const fault = errors.find((each) => each.fault);
  if (fault) return [element("p", {}, fault.fault)];
  if (errors[0].samples !== errors[1].samples) return [element("p", {}, "The two were not tested on the same samples.")];
  const bits = errors.map((each) => wrongBits(each.wrong));
  const only = [[], []];
  const counts = [0, 0];
  for (let number = 0; number < errors[0].samples; number += 1) {
    const wrong = bits.map((each) => (each[number >> 3] >> (number & 7)) & 1);
    if (wrong[0] === wrong[1]) continue;
    const side = wrong[0] ? 0 : 1;
    counts[side] += 1;
    if (only[side].length < MAX_DIFFERING) only[side].push(number);
  }
  const blocks = [];
  for (const side of [0, 1]) {
    const size = errors[side].chunk;
    const wanted = [...new Set(only[side].map((number) => Math.floor(number / size)))];
    const chunks = new Map(await Promise.all(wanted.map(async (chunk) => [chunk, await part(`${keys[side]}-${chunk}`)])));
    const lines = only[side].map((number) => {
      const [id, reference, hypothesis] = chunks.get(Math.floor(number / size)).wrong[number] ?? ["", "", ""];
      return [id, reference, hypothesis || "(nothing)"];
    });
    const title = `Wrong in ${rows[side].label} alone: ${counts[side]} of ${errors[side].samples}`
      + (counts[side] > lines.length ? `, the first ${lines.length}` : "");
    blocks.push(table(title, ["sample", "reference", "read as"], lines));
  }
  return [element("div", { class: "tables" }, ...blocks)];
}
