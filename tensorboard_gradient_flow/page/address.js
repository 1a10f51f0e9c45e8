// The state of the page, and its copy in the address: a link reproduces the view.
//
// TensorBoard keeps its own state behind `#` as `tab&key=value&…` and leaves keys `p.<plugin>.…` to plugins.

const PLUGIN = "gradient_flow";
const PREFIX = `p.${PLUGIN}.`;

const DEFAULTS = {
  runs: null, // names; null for the first twenty
  filter: "",
  names: "run", // or "hparams": what lines are labelled with
  layer: "",
  direction: "",
  signal: "",
  step: null, // training step; null for the last, also when new ones arrive
  values: "absolute", // or "relative"
  scale: "log", // or "linear"
  axis: "timestep", // or "distance"
  ghosts: true, // whether the first and the last training step's lines are shown
};

/** The window that has the address: TensorBoard's, or our own where the page was opened by itself. */
function host() {
  try {
    void window.parent.location.hash;
    return window.parent;
  } catch {
    return window; // embedded somewhere that does not let us look
  }
}

function parts() {
  return host().location.hash.replace(/^#/, "").split("&").filter(Boolean);
}

function read() {
  const state = { ...DEFAULTS };
  for (const part of parts()) {
    const [key, value] = part.split("=").map(decodeURIComponent);
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
    if (name === null || !(name in DEFAULTS)) continue;
    try {
      state[name] = typeof DEFAULTS[name] === "string" ? value : JSON.parse(value);
    } catch {
      // A damaged link: the default stands.
    }
  }
  if (!Array.isArray(state.runs)) state.runs = null;
  if (!Number.isFinite(state.step)) state.step = null;
  return state;
}

function write(state) {
  const others = parts().filter((part) => !decodeURIComponent(part).startsWith(PREFIX));
  const embedded = host() !== window;
  if (embedded && others.length && !others[0].includes("=") && others[0] !== PLUGIN) return; // another tab is open
  const ours = Object.entries(state)
    .filter(([name, value]) => value !== DEFAULTS[name])
    .map(([name, value]) => [PREFIX + name, typeof value === "string" ? value : JSON.stringify(value)])
    .map((pair) => pair.map(encodeURIComponent).join("="));
  const history = host().history;
  history.replaceState(history.state, "", `#${[...others, ...ours].join("&")}`);
}

/** The state, and who wants to know when it changes. */
export class Store {
  constructor() {
    this.state = read();
    this.listeners = [];
    host().addEventListener("hashchange", () => {
      const before = JSON.stringify(this.state);
      this.state = read();
      if (JSON.stringify(this.state) !== before) this.tell();
    });
  }

  /** Changes some of the state, in the address too. */
  set(changes) {
    this.state = { ...this.state, ...changes };
    write(this.state);
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener(this.state);
  }
}
