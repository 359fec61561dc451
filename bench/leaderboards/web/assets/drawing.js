// Small drawings: learning curves, and bars of scores with intervals.
function learningCurves(row) {
  const curves = row.seeds.flatMap((seed) =>
    Object.entries(seed.curves).map(([key, points]) => ({ seed: seed.seed, key, points })));
  const points = curves.flatMap((curve) => curve.points);
  if (!points.length) return null;
  const last = Math.max(...points.map((point) => point[0]));
  const highest = Math.max(...points.map((point) => point[1]), 0.01);
  const [width, height, left, bottom] = [420, 200, 44, 30];
  const x = (epoch) => left + (width - left - 10) * epoch / last;
  const y = (rate) => 10 + (height - bottom - 10) * (1 - rate / highest);
  const drawn = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "curves",
    "aria-label": `Label error rate on the validation split by epoch, of ${curves.length} trainings` });
  for (const fraction of [0, 0.5, 1]) {
    const rate = highest * fraction;
    drawn.append(
      shape("line", { x1: left, x2: width - 10, y1: y(rate), y2: y(rate), class: "grid" }),
      shape("text", { x: left - 6, y: y(rate) + 4, "text-anchor": "end" }, `${(100 * rate).toFixed(highest < 0.1 ? 1 : 0)}%`));
  }
  drawn.append(
    shape("text", { x: left, y: height - 10 }, "0"),
    shape("text", { x: width - 10, y: height - 10, "text-anchor": "end" }, `${last} epochs`));
  curves.forEach((curve, number) => {
    const path = curve.points.map(([epoch, rate], index) => `${index ? "L" : "M"}${x(epoch).toFixed(1)} ${y(rate).toFixed(1)}`);
    drawn.append(shape("path", { d: path.join(""), class: `curve curve-${number % 4}` },
      shape("title", {}, `training ${curve.key}, seed ${curve.seed}`)));
  });
  return drawn;
}

function intervalBar(mean, low, high) {
  const bar = element("span", { class: "interval wide", "aria-hidden": "true" }, element("i"), element("b"));
  const at = (fraction) => `${100 * Math.min(Math.max(fraction, 0), 1)}%`;
  bar.firstChild.style.left = at(low);
  bar.firstChild.style.width = `${100 * (Math.min(high, 1) - Math.max(low, 0))}%`;
  bar.lastChild.style.left = at(mean);
  return bar;
}
