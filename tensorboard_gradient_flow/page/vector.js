// One record as it is drawn: where its values stand, and what they are relative to.

/** The timesteps of a vector's values; where only each `every`-th was sent, counted from the last one read. */
export function timesteps(length, every, backward) {
  const count = Math.ceil(length / every);
  return Array.from({ length: count }, (_, n) => (backward ? n * every : length - 1 - (count - 1 - n) * every));
}

/** The same as positions on the chosen axis: timestep, or how many steps before the last one read. */
export function positions(length, every, backward, axis) {
  const steps = timesteps(length, every, backward);
  if (axis === "timestep") return steps;
  return steps.map((step) => (backward ? step : length - 1 - step));
}

/** The values as they are, or over that of the last step read that is not 0 (behind it there is only padding). */
export function shown(vector, backward, values) {
  if (values !== "relative") return vector;
  const last = (value) => value !== 0;
  const reference = backward ? vector.find(last) : vector.findLast(last);
  return vector.map((value) => value / (reference ?? 1));
}

/** What the timestep axis is called. */
export const AXES = { timestep: "timestep t", distance: "distance from the last step read" };

const SYMBOLS = {
  h: "‖∂ℓ/∂hₜ‖",
  c: "‖∂ℓ/∂cₜ‖",
  kernel: "‖(∂L/∂U)ₜ‖",
  jacobian: "‖∂h_T/∂hₜ‖",
  jacobian_bound: "(γ‖U‖)ᵀ⁻ᵗ",
  activation: "‖hₜ‖",
};

/** What a signal's axis is called. */
export function named(signal, kind, values = "absolute") {
  const plain = kind === "gate" ? `share of units, ${signal}` : (SYMBOLS[signal] ?? signal);
  return values === "relative" ? `${plain}, relative to the last step` : plain;
}
