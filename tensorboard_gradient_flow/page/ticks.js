// Axes: from values to pixels and back, where the ticks stand, how numbers are written.

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

const raised = (exponent) => [...String(exponent)].map((character) => RAISED[character]).join("");

/** A number for people: three significant digits, powers of ten raised. */
export function written(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(3))).replace("-", "−");
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${mantissa.replace("-", "−")}×10${raised(Number(exponent))}`;
}

/** A float32 for machines: the same number when read back. */
export function exact(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(Number(value.toPrecision(9)));
}

/** A scale from values between `low` and `high` to pixels between `from` and `to`. */
export function scale(low, high, from, to, logarithmic = false) {
  const place = logarithmic ? Math.log10 : (value) => value;
  const [begin, width] = [place(low), place(high) - place(low) || 1];
  const at = (value) => from + ((place(value) - begin) / width) * (to - from);
  at.back = (pixel) => {
    const value = begin + ((pixel - from) / (to - from)) * width;
    return logarithmic ? 10 ** value : value;
  };
  at.ticks = (room) => (logarithmic ? decades(low, high, room) : evenTicks(low, high, room));
  return at;
}

/** Round numbers at even distances, about `room` of them. */
function evenTicks(low, high, room) {
  const rough = (high - low) / Math.max(room, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let n = Math.ceil(low / distance - 1e-9); n * distance <= high + distance * 1e-9; n++) {
    const value = Number((n * distance).toPrecision(12));
    ticks.push({ value, text: Math.abs(value) < 1e5 ? String(value).replace("-", "−") : written(value) });
  }
  return ticks;
}

/** Powers of ten; between them 2 and 5 where there are hardly any; round numbers where not even those fit. */
function decades(low, high, room) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  if (last - first < 1) {
    const between = [];
    for (let power = first - 1; power <= last; power++) {
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** power;
        if (value >= low * 0.999 && value <= high * 1.001) between.push({ value, text: written(value) });
      }
    }
    return between.length > 1 ? between : evenTicks(low, high, room);
  }
  const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(room, 2)));
  const ticks = [];
  for (let power = last; power >= first; power -= every)
    ticks.unshift({ value: 10 ** power, text: `10${raised(power)}` });
  return ticks;
}
