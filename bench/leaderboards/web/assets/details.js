// The details of an entry, below its row.
function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}

function details(index) {
  const row = BOARD.rows[index];
  const facts = Object.entries(row.facts);
  if (row.missing.length) {
    facts.push(["Missing", row.missing.map(([seed, test, why]) => `seed ${seed} on ${test}: ${why}`).join("; ")]);
  }
  const curves = learningCurves(row);
  return element("div", { class: "details" },
    section("Entry", definitions(facts)),
    curves && section("Label error rate on the validation split during training", curves),
    scoresSection(index),
    slicesSection(row),
    recordsSection(row),
    samplesSection(row));
}

function scoresSection(index) {
  const scored = BOARD.columns.filter((column) => column.higherIsBetter !== null);
  const rows = scored.map((column) => [column.heading, column.cells[index]]);
  return section("Scores", table("Mean ± standard deviation over seeds [95 % interval]", ["metric", "score"], rows));
}

function slicesSection(row) {
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
  return section("Groups of samples", element("div", { class: "tables" }, ...tables));
}

// One line per key, without line breaks in keys.
function keys(texts) {
  return element("div", {}, ...(texts.length ? texts : ["–"]).map((text) => element("div", { class: "key" }, text)));
}

function recordsSection(row) {
  const rows = row.seeds.map((seed) => [
    String(seed.seed), keys(seed.trainings),
    keys(Object.entries(seed.evaluations).map(([test, key]) => `${test}: ${key}`)),
  ]);
  return section("Records", table("Keys for bench show KEY", ["seed", "trainings", "evaluations"], rows));
}

function samplesSection(row) {
  const choices = row.seeds.flatMap((seed) => Object.entries(seed.evaluations)
    .map(([test, key]) => ({ label: `${test}, seed ${seed.seed}`, key })));
  if (!choices.length) return null;
  const content = element("div", {});
  const show = (key) => {
    if (!hasRecord(key)) {
      content.replaceChildren(recordMissing(key));
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
    edits.length ? element("h4", {}, "Most frequent edits, reference as hypothesis") : null,
    edits.length ? element("ol", { class: "edits" }, ...edits) : null,
    element("h4", {}, "Alignment and attention"),
    ...(pictures.length ? pictures : [element("p", { class: "soft" }, "Not drawn yet: ",
      command(`bench show ${key} --alignment`), " draws alignments of CTC, ", command(`bench show ${key} --attention`), " attention maps.")]),
  ].filter(Boolean);
}

function sampleCard({ id, reference, hypothesis, errors, picture }) {
  return element("figure", { class: "card" },
    picture ? element("img", { src: picture, alt: `The sample with the text ${reference}` }) : null,
    element("figcaption", {}, definitions([
      ["reference", reference], ["read as", hypothesis || "(nothing)"], ["errors", String(errors)], ["sample", id]])));
}
