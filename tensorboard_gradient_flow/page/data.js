// What the server knows. Answers are kept until a run writes more; a run that is shown again is not asked for again.

const KEPT = 2000; // answers for one run
const AT_ONCE = 20; // runs in one request
const kept = new Map();

/** How the page was asked to wait: called with +1 when a request starts and −1 when it ends. */
export const pending = { change: () => {} };

async function get(path, query = "") {
  pending.change(+1);
  try {
    // The module's own address leads to the plugin's routes, wherever TensorBoard is mounted.
    const answer = await fetch(new URL(`../${path}${query && `?${query}`}`, import.meta.url));
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  } finally {
    pending.change(-1);
  }
}

/** Every run with its hyper-parameters and tags. */
export async function index() {
  return (await get("index")).json();
}

/** Records of some training steps: `query` is `at=…`, or `from`, `to`, `columns`, `rows`. By run. */
export const vectors = (tag, runs, query) => asked("vectors", tag, runs, query, decode(false));

/** One number a record: how far back the gradient reached in it, or in the last ten records together. By run. */
export const horizons = (tag, runs, smooth) => asked("horizons", tag, runs, smooth ? "smooth=1" : "", decode(true));

/** The verdict on the last records. By run. */
export const verdicts = (tag, runs) => asked("verdicts", tag, runs, "", json);

/** The training steps of all records. By run. */
export const steps = (tag, runs) => asked("steps", tag, runs, "", json);

/** Asks for those runs of `runs` that have the tag and whose answer is not here yet, and returns all, by name. */
async function asked(path, tag, runs, query, read) {
  const having = runs.filter((run) => tag in run.tags);
  const key = (run) => JSON.stringify([path, tag, query, run.name]);
  const fresh = (run) => kept.get(key(run))?.written === run.tags[tag].written;
  const missing = having.filter((run) => !fresh(run));
  for (let first = 0; first < missing.length; first += AT_ONCE) {
    const some = missing.slice(first, first + AT_ONCE);
    const names = some.map((run) => `&run=${encodeURIComponent(run.name)}`).join("");
    const answer = get(path, `tag=${encodeURIComponent(tag)}${query && `&${query}`}${names}`).then(read);
    for (const run of some) {
      const mine = answer.then((found) => found[run.name]);
      mine.catch(() => kept.delete(key(run)));
      kept.delete(key(run)); // to the end of the order
      kept.set(key(run), { written: run.tags[tag].written, answer: mine });
    }
  }
  const answers = await Promise.all(having.map((run) => kept.get(key(run)).answer));
  while (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return new Map(having.map((run, each) => [run.name, answers[each]]).filter(([, answer]) => answer));
}

async function json(answer) {
  return answer.json();
}

/** Reads the binary answer: a length, a JSON header of that length, float32 values. */
function decode(oneEach) {
  return async (answer) => {
    const buffer = await answer.arrayBuffer();
    const size = new DataView(buffer).getUint32(0, true);
    const { series } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
    let offset = 4 + size;
    return Object.fromEntries(
      series.map((one) => {
        const lengths = Array.isArray(one.lengths) ? one.lengths : one.steps.map(() => one.lengths);
        const values = lengths.map((length) => {
          const vector = new Float32Array(buffer, offset, oneEach ? 1 : Math.ceil(length / one.every));
          offset += vector.byteLength;
          return vector;
        });
        return [one.run, { ...one, lengths, values }];
      }),
    );
  };
}
