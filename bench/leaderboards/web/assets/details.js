// What a row opens to.
function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}

function details(place) {
  const row = BOARD.rows[place];
  const facts = Object.entries(row.facts);
  if (row.missing.length) {
    facts.push(["Missing", row.missing.map(([seed, test, why]) => `seed ${seed} on ${test}: ${why}`).join("; ")]);
  }
  const curves = learningCurves(row);
  return element("div", { class: "details" },
    section("What it is", definitions(facts)),
    curves && section("Validation label error rate while it trained", curves),
    scoresOf(place),
    slicesOf(row),
    recordsOf(row),
    samplesOf(row));
}

function scoresOf(place) {
  const scored = BOARD.columns.filter((column) => column.higherIsBetter !== null);
  const rows = scored.map((column) => [column.heading, column.cells[place]]);
  return section("Scores", table("Mean ± standard deviation over seeds [95 % interval]", ["metric", "score"], rows));
}

function slicesOf(row) {
  const tables = [];
  for (const test of BOARD.tests) {
    for (const [by, scores] of Object.entries(row.slices[test.name] ?? {})) {
      const groups = test.slices[by] ?? [];
      const rows = groups.map(([name, samples], number) => {
        const score = scores[number];
        return [name, String(samples), score ? element("span", {}, score[0], intervalBar(...score.slice(1))) : "–"];
      });
      tables.push(table(`By ${by} on ${test.name}`, [by, "samples", BOARD.metric.heading], rows));
    }
  }
  if (!tables.length) return null;
  return section("Parts of the test sets", element("div", { class: "tables" }, ...tables));
}

// A line per key, none of which is broken.
function keys(texts) {
  return element("div", {}, ...(texts.length ? texts : ["–"]).map((text) => element("div", { class: "key" }, text)));
}

function recordsOf(row) {
  const rows = row.seeds.map((seed) => [
    String(seed.seed), keys(seed.trainings),
    keys(Object.entries(seed.evaluations).map(([test, key]) => `${test}: ${key}`)),
  ]);
  return section("Records", table("Keys for bench show KEY", ["seed", "trainings", "evaluations"], rows));
}

function samplesOf(row) {
  const choices = row.seeds.flatMap((seed) => Object.entries(seed.evaluations)
    .map(([test, key]) => ({ label: `${test}, seed ${seed.seed}`, key })));
  if (!choices.length) return null;
  const content = element("div", {});
  const show = (key) => {
    if (!isAtHand(key)) {
      content.replaceChildren(notAtHand(key));
      return;
    }
    content.replaceChildren(element("p", { class: "soft" }, "loading …"));
    part(key).then(
      (details) => content.replaceChildren(...sampleDetails(key, details)),
      (error) => content.replaceChildren(element("p", {}, error.message)));
  };
  const select = element("select", { "aria-label": "Evaluation", onchange: () => show(select.value) },
    ...choices.map((choice) => element("option", { value: choice.key }, choice.label)));
  show(choices[0].key);
  return section("Single samples", PARTS ? select : null, content);
}

function sampleDetails(key, { fault, worst, whyNoPictures, confusions, drawn }) {
  if (fault) return [element("p", {}, fault)];
  const cards = worst.map(sampleCard);
  const edits = confusions.map(([reference, hypothesis, count]) => element("li", {},
    element("code", {}, reference ?? "(nothing)"), " as ", element("code", {}, hypothesis ?? "(nothing)"), ` ${count}×`));
  const pictures = drawn.map(([name, source]) => element("figure", {},
    element("img", { src: source, alt: name, loading: "lazy" }), element("figcaption", {}, name)));
  return [
    element("h4", {}, "Samples with the most errors"),
    whyNoPictures ? element("p", { class: "soft" }, `Without pictures: ${whyNoPictures}`) : null,
    cards.length ? element("div", { class: "cards" }, ...cards) : element("p", {}, "Every sample was read without an error."),
    edits.length ? element("h4", {}, "What was read as what, the most frequent edits first") : null,
    edits.length ? element("ol", { class: "edits" }, ...edits) : null,
    element("h4", {}, "Alignment and attention"),
    ...(pictures.length ? pictures : [element("p", { class: "soft" }, "None is drawn; ",
      command(`bench show ${key} --alignment`), " draws it of CTC, ", command(`bench show ${key} --attention`), " of attention.")]),
  ].filter(Boolean);
}

function sampleCard({ id, reference, hypothesis, errors, picture }) {
  return element("figure", { class: "card" },
    picture ? element("img", { src: picture, alt: `The sample that reads ${reference}` }) : null,
    element("figcaption", {}, definitions([
      ["reference", reference], ["read as", hypothesis || "(nothing)"], ["errors", String(errors)], ["sample", id]])));
}
