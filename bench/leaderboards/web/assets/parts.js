// Details of single samples: scripts in the folder `parts`, loaded when they are looked at.
const PARTS = JSON.parse(byId("parts").textContent);
const waiting = new Map();
const loaded = new Map();

// Called by each part; a page that is a file may load scripts, but may not fetch.
window.benchPart = (name, content) => {
  const [keep] = waiting.get(name) ?? [];
  keep?.(content);
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

function isAtHand(key) {
  return Boolean(PARTS && PARTS.evaluations.includes(key));
}

function command(words) {
  return element("code", {}, words);
}

function notAtHand(key) {
  if (!PARTS) {
    return element("p", { class: "soft" }, "Texts and pictures of single samples are not in this file. ",
      command("bench view"), " shows them where the records are, and ",
      command(`bench board ${BOARD.suite} --html OUT`), " writes them into a folder.");
  }
  return element("p", { class: "soft" }, `The record of evaluation ${key} is not at hand. `,
    command(`bench run ${BOARD.suite}`), " makes it.");
}
