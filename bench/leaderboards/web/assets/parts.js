// Details of single samples: scripts in the folder `parts`, loaded on demand.
const PARTS = JSON.parse(byId("parts").textContent);
const waiting = new Map();
const loaded = new Map();

// Called by each part. A page opened as a file may load scripts, but may not fetch data.
window.benchPart = (name, content) => {
  const [resolve] = waiting.get(name) ?? [];
  resolve?.(content);
};

function part(name) {
  if (!loaded.has(name)) {
    loaded.set(name, new Promise((resolve, reject) => {
      waiting.set(name, [resolve]);
      const script = element("script", { src: `parts/${encodeURIComponent(name)}.js` });
      script.addEventListener("error", () => {
        loaded.delete(name);
        reject(new Error(`parts/${name}.js cannot be loaded`));
      });
      document.head.append(script);
    }));
  }
  return loaded.get(name);
}

function hasRecord(key) {
  return Boolean(PARTS && PARTS.evaluations.includes(key));
}

function command(words) {
  return element("code", {}, words);
}

function recordMissing(key) {
  if (!PARTS) {
    return element("p", { class: "soft" }, "Texts and pictures of single samples are not in this file. ",
      command("bench view"), " shows them on a machine with the records, and ",
      command(`bench board ${BOARD.suite} --html OUT`), " writes them into a folder.");
  }
  return element("p", { class: "soft" }, `The record of evaluation ${key} is not on this machine. `,
    command(`bench run ${BOARD.suite}`), " computes it.");
}
