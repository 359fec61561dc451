"use strict";
// Active runs, polled every two seconds. Elements are updated and not replaced, so that focus,
// selection and opened logs stay. Names and logs are set as text.
(() => {
  const INTERVAL = 2000;
  const MAX_QUEUE = 100;
  const state = document.getElementById("state");
  const runs = document.getElementById("runs");

  function element(name, className = "", text = "") {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  // Make, update and order one child per item; children of items that are gone are removed.
  function updateChildren(parent, items, make, update) {
    const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    items.forEach((item, index) => {
      const key = item.key ?? item.id;
      let child = before.get(key);
      before.delete(key);
      if (!child) {
        child = make(item);
        child.dataset.key = key;
      }
      if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
      update(child, item);
    });
    for (const child of before.values()) child.remove();
  }

  function duration(seconds) {
    if (seconds < 99.5) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return `${hours} h ${minutes % 60} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  const percent = (rate) => `${(100 * rate).toFixed(2)} %`;
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const hasSlot = (task) => task.state === "running" || task.state === "starting";
  const waits = (task) => ["queued", "waits for training", "held elsewhere"].includes(task.state);

  function shape(name, properties) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
    return made;
  }

  // The label error rate of each validation over epochs, from 0 to the largest.
  function drawCurve(svg, curve) {
    const [width, height, left, top, bottom] = [300, 96, 44, 8, 20];
    const lastEpoch = curve.at(-1)[0];
    const rates = curve.map(([, rate]) => rate);
    const most = Math.max(...rates, 0.01);
    const x = (epoch) => left + ((width - left - 8) * epoch) / Math.max(lastEpoch, 1e-9);
    const y = (rate) => height - bottom - ((height - top - bottom) * rate) / most;
    const points = curve.map(([epoch, rate]) => `${x(epoch).toFixed(1)},${y(rate).toFixed(1)}`);
    const textAt = (text, properties) => {
      const made = shape("text", properties);
      made.textContent = text;
      return made;
    };
    svg.replaceChildren(
      shape("line", { x1: left, x2: width - 8, y1: y(0), y2: y(0) }),
      shape("line", { x1: left, x2: left, y1: top, y2: y(0) }),
      shape("path", { d: `M${points.join("L")}` }),
      shape("circle", { cx: x(lastEpoch), cy: y(rates.at(-1)), r: 3 }),
      textAt(`${(100 * most).toFixed(0)} %`, { x: left - 4, y: top + 8, "text-anchor": "end" }),
      textAt("0", { x: left - 4, y: y(0) + 2, "text-anchor": "end" }),
      textAt(`epoch ${Number(lastEpoch.toFixed(1))}`, { x: width - 8, y: height - 4, "text-anchor": "end" }),
      textAt("validation LER", { x: left, y: height - 4 }),
    );
    svg.setAttribute("aria-label",
      `Validation label error rate ${percent(rates.at(-1))} after epoch ${Number(lastEpoch.toFixed(1))}, `
      + `lowest ${percent(Math.min(...rates))}`);
  }

  function makeCard(task) {
    const card = element("li");
    const bar = element("progress");
    bar.setAttribute("aria-label", `Progress of ${task.name}`);
    const curve = shape("svg", { class: "curve", viewBox: "0 0 300 96", role: "img" });
    card.append(element("h4"), bar, element("p"), element("p", "soft"), curve);
    return card;
  }

  function updateCard(card, task) {
    const [head, bar, facts, location, curve] = card.children;
    write(head, task.name);
    card.classList.toggle("done", task.state === "done");
    bar.hidden = !hasSlot(task);
    if (task.steps) {
      bar.max = task.steps;
      bar.value = task.step;
    }
    const parts = [];
    if (task.state === "done") parts.push(task.text);
    else if (task.state === "starting") parts.push("starting");
    else {
      if (task.epoch !== null) parts.push(`epoch ${task.epoch.toFixed(1)}`);
      if (task.loss !== null) parts.push(`loss ${task.loss.toFixed(4)}`);
      if (task.validation_ler !== null) parts.push(`validation LER ${percent(task.validation_ler)}`);
      if (task.speed !== null) parts.push(`${Math.round(task.speed)} samples/s`);
      if (task.eta !== null) parts.push(`${duration(task.eta)} left`);
      if (!parts.length) parts.push(task.kind === "training" ? "reading data" : "evaluating");
    }
    write(facts, parts.join(" · "));
    write(location, [task.kind, task.device && `${task.device} of ${task.node}`, task.key].filter(Boolean).join(" · "));
    curve.toggleAttribute("hidden", task.curve.length < 2);

    if (task.curve.length > 1 && curve.dataset.points !== JSON.stringify(task.curve.at(-1))) {
      curve.dataset.points = JSON.stringify(task.curve.at(-1));
      drawCurve(curve, task.curve);
    }
  }

  function makeFailure() {
    const item = element("li");
    const details = element("details");
    details.append(element("summary", "", "End of the log"), element("pre"));
    details.lastChild.tabIndex = 0;
    item.append(element("h4"), element("p"), element("p", "soft"), details);
    return item;
  }

  function updateFailure(item, task, logs) {
    const [head, reason, command, details] = item.children;
    write(head, task.name);
    write(reason, task.text);
    write(command, `bench logs ${task.key}`);
    details.hidden = !(task.key in logs);
    write(details.lastChild, logs[task.key] ?? "");
  }

  function makeRun(run) {
    const section = element("section", "run");
    const gauges = element("ul", "gauges");
    for (const label of ["tasks have ended", "slots are in use", "for all tasks"]) {
      const gauge = element("li");
      gauge.append(element("b"), element("span", "soft", label));
      if (label !== "for all tasks") {
        const bar = element("progress");
        bar.setAttribute("aria-label", label);
        gauge.append(bar);
      }
      gauges.append(gauge);
    }
    section.append(element("h2", "", run.suite || "tasks"), element("p", "soft"), gauges, element("p"));
    for (const [title, name, className] of [
      ["Running", "ul", "cards"], ["Failed", "ul", "cards failed"], ["Queue", "ol", "queue"], ["Ended", "ul", "cards"],
    ]) {
      const part = element("section");
      part.append(element("h3", "", title), element(name, className), element("p", "soft"));
      section.append(part);
    }
    return section;
  }

  function updateRun(section, run) {
    const [, about, gauges, phase, running, failed, queue, ended] = section.children;
    const begun = new Date(run.process.since);
    write(about, `${run.command} · process ${run.process.pid} on ${run.process.host} since ${begun.toLocaleString()}`);
    const active = run.tasks.filter(hasSlot);
    const left = run.tasks.filter((task) => hasSlot(task) || waits(task));
    const [tasks, slots, time] = gauges.children;
    const count = run.tasks.length - left.length;
    write(tasks.children[0], `${count} of ${run.tasks.length}`);
    tasks.children[2].max = Math.max(run.tasks.length, 1);
    tasks.children[2].value = count;
    write(slots.children[0], run.slots ? `${active.length} of ${run.slots}` : "unknown");
    slots.children[2].max = Math.max(run.slots, 1);
    slots.children[2].value = active.length;
    write(time.children[0], run.left === null ? "time left unknown" : `about ${duration(run.left)} left`);
    const profiled = run.profiling;
    write(phase, profiled ? `profiling ${profiled.number} of ${profiled.total}: ${profiled.name}` : run.phase);
    phase.hidden = run.phase === "running tasks" || !run.phase;

    fill(running, active, makeCard, updateCard);
    fill(failed, run.tasks.filter((task) => task.state === "failed"), makeFailure,
      (item, task) => updateFailure(item, task, run.logs));
    const waiting = run.tasks.filter(waits);
    fill(queue, waiting.slice(0, MAX_QUEUE), () => element("li"), (item, task) => {
      const note = task.state === "queued" ? "" : task.state === "held elsewhere" ? `: ${task.text}` : ": waits for its training";
      write(item, `${task.kind} ${task.name}${note}`);
    }, waiting.length > MAX_QUEUE ? `and ${waiting.length - MAX_QUEUE} more` : "");
    const finished = run.tasks.filter((task) => ["done", "cancelled", "not run"].includes(task.state));
    const [withCurve, others] = [finished.filter((task) => task.curve.length > 1), finished.filter((task) => task.curve.length < 2)];
    fill(ended, [...withCurve, ...others].slice(0, MAX_QUEUE), makeCard, (card, task) => {
      updateCard(card, task);
      write(card.children[2], task.text);
    }, finished.length > MAX_QUEUE ? `and ${finished.length - MAX_QUEUE} more` : "");
  }

  function fill(part, items, make, update, note = "") {
    part.hidden = !items.length;
    updateChildren(part.children[1], items, make, update);
    write(part.children[2], note);
    part.children[2].hidden = !note;
  }

  function show(data) {
    const failures = data.runs.flatMap((run) => run.tasks).filter((task) => task.state === "failed").length;
    const suites = data.runs.map((run) => run.suite || "tasks").join(", ");
    write(state, data.runs.length
      ? `${plural(data.runs.length, "run")} active: ${suites}${failures ? `; ${plural(failures, "task")} failed` : ""}.`
      : "Nothing is running in this folder of results. Start a run with bench run; it appears here.");
    updateChildren(runs, data.runs, makeRun, updateRun);
  }

  async function poll() {
    try {
      const answer = await fetch("running.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(await answer.text());
      show(await answer.json());
    } catch (error) {
      write(state, error instanceof TypeError
        ? "bench view no longer answers. The page shows its last state."
        : `The active runs cannot be read: ${error.message}`);
    }
    setTimeout(poll, INTERVAL);
  }
  poll();
})();
