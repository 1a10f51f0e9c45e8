// The page without data: how to log some.

import { html } from "./dom.js";

const COMMAND = "rnnscope train -m cell=rnn,lstm,gru dataset=adding name=compare\ntensorboard --logdir runs/compare";
const CALLBACK = `from rnnscope.callbacks import GradientFlow

flow = GradientFlow("runs/mine", batch=(x[:32], y[:32]), every=50)
model.fit(x, y, callbacks=[flow])`;
const WRITER = `from tensorboard_gradient_flow.writer import RunWriter

about = {"direction": "forward", "cell": "LSTMCell", "units": 64}
with RunWriter("runs/mine") as writer:
    for step, norms in enumerate(training()):  # norms: float32 [T]
        writer.gradient_norms("lstm_1", "h", norms, step, **about)`;

/** What to do when no run has anything to show. */
export function empty() {
  return html(
    "div",
    { id: "empty" },
    html("h1", {}, "No gradient norms in these logs yet"),
    html(
      "p",
      {},
      "This tab shows, for recurrent networks, the norm of the gradient at every timestep over the whole of training. " +
        "It appears by itself as soon as a run in the log directory has written some.",
    ),
    html("h2", {}, "With rnnscope's command line"),
    html("pre", {}, html("code", {}, COMMAND)),
    html("h2", {}, "In a Keras model of your own"),
    html("pre", {}, html("code", {}, CALLBACK)),
    html("h2", {}, "From any other program"),
    html("pre", {}, html("code", {}, WRITER)),
    html("p", {}, "If you expected data here: is TensorBoard's --logdir the folder that holds the event files?"),
  );
}
