"""Chorales against their scores, and a user's own against what is in the file."""

import zipfile
from itertools import chain, combinations

import numpy as np
import pytest
from scipy.io import savemat

from rnnscope.experiments.common.errors import UserError
from rnnscope.experiments.data import Split, load
from rnnscope.experiments.data.baselines import markov
from rnnscope.experiments.data.datasets.chorales import KEYS, NAMES, _scores, chorales, piano_roll, read_musicxml
from rnnscope.experiments.data.paths import package_folder


@pytest.fixture(scope="module")
def bach():
    """The folder of music21 with Bach's chorales."""
    return package_folder("music21") / "corpus" / "bach"


@pytest.fixture(scope="module")
def task():
    return chorales(path=None, length=32)


@pytest.fixture(scope="module")
def rolls():
    """Of the three parts, each chorale's."""
    return list(_scores())


def sounding(row):
    return {NAMES[key] for key in np.flatnonzero(row)}


# --------------------------------------------------------------------- MusicXML


def note(step, duration, extra="", alter=0, octave=4):
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{extra}{pitch}<duration>{duration}</duration></note>"


@pytest.fixture
def score(tmp_path):
    """A score in compressed MusicXML; arguments are parts, each a list of measures."""

    def written(*parts):
        body = "".join(
            f'<part id="P{number}">{"".join(f"<measure>{measure}</measure>" for measure in measures)}</part>'
            for number, measures in enumerate(parts)
        )
        container = '<container><rootfiles><rootfile full-path="here/score.xml"/></rootfiles></container>'
        with zipfile.ZipFile(tmp_path / "score.mxl", "w") as archive:
            archive.writestr("META-INF/container.xml", container)
            archive.writestr("here/score.xml", f"<score-partwise><part-list/>{body}</score-partwise>")
        return read_musicxml(tmp_path / "score.mxl")

    return written


def beats(voices):
    return [sounding(row) for row in piano_roll(list(chain.from_iterable(voices)))]


def divisions(number):
    return f"<attributes><divisions>{number}</divisions></attributes>"


def test_a_note_sounds_on_every_quarter_on_which_it_is_held(score):
    voices = score([divisions(4) + note("C", 4) + note("D", 8) + note("E", 2) + note("F", 2)])
    assert beats(voices) == [{"C4"}, {"D4"}, {"D4"}, {"E4"}]


def test_tied_notes_are_one_sound(score):
    tied = note("A", 2, extra='<tie type="start"/>') + note("A", 2, extra='<tie type="stop"/>')
    assert beats(score([divisions(1) + tied])) == [{"A4"}] * 4


def test_chords_and_further_voices_sound_together(score):
    measure = (
        divisions(2)
        + note("C", 4)
        + note("E", 4, extra="<chord/>")
        + note("G", 4)
        + "<backup><duration>8</duration></backup><forward><duration>2</duration></forward>"
        + note("C", 4, octave=5)
    )
    assert beats(score([measure])) == [{"C4", "E4"}, {"C4", "E4", "C5"}, {"G4", "C5"}, {"G4"}]


def test_parts_sound_together_whatever_their_divisions(score):
    slow = [divisions(1) + note("C", 2), note("D", 2)]
    fast = [divisions(6) + note("E", 3) + note("F", 9), divisions(3) + note("G", 1) * 3 + note("A", 3)]
    assert beats(score(slow, fast)) == [{"C4", "E4"}, {"C4", "F4"}, {"D4", "G4"}, {"D4", "A4"}]


def test_beats_are_counted_from_the_first_bar_line(score):
    upbeat = [divisions(2) + note("C", 1), note("D", 2) + note("E", 2)]
    assert beats(score(upbeat)) == [{"D4"}, {"E4"}]
    quarter_upbeat = [divisions(2) + note("C", 2), note("D", 2) + note("E", 2)]
    assert beats(score(quarter_upbeat)) == [{"C4"}, {"D4"}, {"E4"}]


def test_grace_notes_take_no_time_and_rests_are_silent(score):
    rest = "<note><rest/><duration>1</duration></note>"
    grace = "<note><grace/><pitch><step>B</step><octave>3</octave></pitch></note>"
    assert beats(score([divisions(1) + note("C", 1) + rest + grace + note("D", 1)])) == [{"C4"}, set(), {"D4"}]


def test_keys_have_their_places_on_the_piano(score):
    ends = note("A", 1, octave=0) + note("C", 1, octave=8) + note("F", 1, alter=1) + note("B", 1, alter=-1)
    voices = score([divisions(1) + ends])
    assert [played.key for played in voices[0]] == [0, 87, 66 - 21, 70 - 21]
    assert beats(voices) == [{"A0"}, {"C8"}, {"F#4"}, {"A#4"}]
    assert len(set(NAMES)) == KEYS == 88


# --------------------------------------------------------------------- the scores


@pytest.mark.slow  # needs music21
def test_the_first_bar_of_a_known_chorale(bach):
    """BWV 269, Aus meines Herzens Grunde: in G major and 3/4, with an upbeat of a quarter note."""
    first = beats(read_musicxml(bach / "bwv269.mxl"))[:4]
    assert first == [
        {"G2", "B3", "D4", "G4"},
        {"G3", "B3", "D4", "G4"},
        {"E3", "C4", "E4", "G4"},
        {"F#3", "A3", "D4", "D5"},
    ]


@pytest.mark.slow  # needs music21
def test_there_are_364_scores_in_four_parts_of_which_349_are_kept(bach, rolls):
    voices = []
    for file in bach.glob("*.mxl"):
        with zipfile.ZipFile(file) as archive:
            scores = [archive.read(name) for name in archive.namelist() if not name.startswith("META-INF")]
        voices.append(sum(score.count(b"<part id=") for score in scores))
    assert voices.count(4) == 364
    assert [len(part) for part in rolls] == [244, 53, 52]


@pytest.mark.slow  # needs music21
def test_four_voices_sound_at_most_and_nearly_always_three(rolls):
    voices = np.concatenate([roll.sum(axis=1) for part in rolls for roll in part])
    assert voices.max() == 4
    assert np.mean(voices >= 3) > 0.98
    everything = np.concatenate([roll for part in rolls for roll in part]).any(axis=0)
    assert (NAMES[everything.argmax()], NAMES[KEYS - 1 - everything[::-1].argmax()]) == ("C2", "A5")


@pytest.mark.slow  # needs music21
def test_no_chorale_is_in_two_parts_not_even_in_another_key(rolls):
    def intervals(roll):
        return [tuple(np.diff(row.nonzero()[0])) for row in roll]

    of_parts = [[intervals(roll) for roll in part] for part in rolls]
    for one, other in combinations(of_parts, 2):
        for mine in one:
            for theirs in other:
                if len(mine) == len(theirs):
                    assert np.mean([a == b for a, b in zip(mine, theirs, strict=True)]) < 0.7


@pytest.mark.slow  # needs music21
def test_targets_are_the_keys_of_the_next_step(task, rolls):
    assert task.train.inputs.shape[1:] == task.train.targets.shape[1:] == (32, KEYS)
    for part, originals in zip(task.parts, rolls, strict=True):
        np.testing.assert_array_equal(part.mask, part.target_mask)
        now = [inputs[mask] for inputs, mask in zip(part.inputs, part.mask, strict=True)]
        then = [targets[mask] for targets, mask in zip(part.targets, part.mask, strict=True)]
        np.testing.assert_array_equal(np.concatenate(now), np.concatenate([roll[:-1] for roll in originals]))
        np.testing.assert_array_equal(np.concatenate(then), np.concatenate([roll[1:] for roll in originals]))
        assert not part.inputs[~part.mask].any()
        assert not part.targets[~part.mask].any()


@pytest.mark.slow  # needs music21
def test_long_chorales_are_cut_and_short_ones_padded(task, rolls):
    for part, originals in zip(task.parts, rolls, strict=True):
        expected = [min(32, len(roll) - 1 - start) for roll in originals for start in range(0, len(roll) - 1, 32)]
        assert part.mask.sum(axis=1).tolist() == expected
        assert (np.diff(part.mask.astype(int), axis=1) <= 0).all()


@pytest.mark.slow  # needs music21
def test_what_answers_without_a_network_scores(task):
    scores = task.baseline_metrics(task.test)
    train, test = (split.targets[split.mask] for split in (task.train, task.test))
    p = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    nll = -(test * np.log(p) + (1 - test) * np.log(1 - p)).sum(axis=1).mean()
    assert scores["marginal per key"]["nll"] == pytest.approx(nll)
    assert scores["Markov chain per key"]["nll"] < nll


def test_a_markov_chain_knows_how_often_each_label_stays_and_comes():
    draw = np.random.default_rng(3)
    labels, mask = (draw.random((30, 7, 5)) < 0.3).astype("float32"), np.arange(6) < draw.integers(1, 7, 30)[:, None]
    split = Split(labels[:, :-1], labels[:, 1:], mask, mask)
    train, test = split[:20], split[20:]
    chances = 1 / (1 + np.exp(-markov().fit(train)(test)))
    for label in range(5):
        for state in (0, 1):
            then = train.targets[..., label][mask[:20] & (train.inputs[..., label] == state)]
            expected = (then.sum() + 0.5) / (len(then) + 1)
            np.testing.assert_allclose(chances[..., label][test.inputs[..., label] == state], expected)


# ------------------------------------------------------------------ a user's file


def cells(*pieces):
    made = np.empty((1, len(pieces)), object)
    for number, piece in enumerate(pieces):
        made[0, number] = piece
    return made


@pytest.fixture
def own(compose, tmp_path):
    """Loads a MATLAB file of the given variables."""

    def loaded(*overrides, **variables):
        savemat(tmp_path / "own.mat", variables)
        return load(compose("dataset=chorales", f"dataset.path={tmp_path}/own.mat", *overrides).dataset, seed=1)

    return loaded


def rolls_at_random(*steps):
    draw = np.random.default_rng(sum(steps))
    return [(draw.random((length, KEYS)) < 0.05).astype(float) for length in steps]


def test_a_file_is_read_with_its_own_parts(own):
    pieces = {
        name: rolls_at_random(*steps) for name, steps in (("train", (9, 1, 4)), ("valid", (6,)), ("test", (11, 3)))
    }
    task = own("dataset.length=5", **{f"{name}data": cells(*rolls) for name, rolls in pieces.items()})
    for part, name in zip(task.parts, pieces, strict=True):
        inputs = np.concatenate([piece[:-1] for piece in pieces[name]])
        np.testing.assert_array_equal(part.inputs[part.mask], inputs)
        np.testing.assert_array_equal(part.targets[part.mask], np.concatenate([piece[1:] for piece in pieces[name]]))
    assert task.train.mask.sum(axis=1).tolist() == [5, 3, 3]
    assert task.train.inputs.dtype == np.float32


ONE = rolls_at_random(5)


@pytest.mark.parametrize(
    "variables, message",
    [
        ({"traindata": cells(*ONE)}, "expected variables traindata, validdata, testdata, got traindata"),
        ({"testdata": cells(np.zeros((4, 87)))}, "testdata, piece 1: expected shape .steps, 88., got .4, 87."),
        ({"validdata": cells(*ONE, 3 * ONE[0])}, "validdata, piece 2: expected 0 for silent keys and 1 for"),
        ({"traindata": np.zeros((4, 88))}, "traindata: expected cells, one for each piece, got one array of shape"),
        ({"traindata": cells(ONE[0][:1])}, "traindata: expected at least one piece of two steps or more"),
    ],
)
def test_a_file_of_another_kind_is_named(own, variables, message):
    whole = {"traindata": cells(*ONE), "validdata": cells(*ONE), "testdata": cells(*ONE)} | variables
    with pytest.raises(UserError, match=message) as raised:
        own(**(variables if "variables" in message else whole))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b"no such file", b"MATLAB 5.0 MAT-file" + bytes(200), b"\x89HDF\r\n\x1a\n" + bytes(600)]
)
def test_what_is_no_matlab_file_is_named(compose, tmp_path, content):
    (tmp_path / "own.mat").write_bytes(content)
    with pytest.raises(UserError, match=r"own.mat: cannot be read as a MATLAB file of version 7 or below"):
        load(compose("dataset=chorales", f"dataset.path={tmp_path}/own.mat").dataset, seed=1)


def test_a_file_that_is_not_there_is_named(compose, tmp_path):
    with pytest.raises(UserError, match=r"none.mat: there is no such file in"):
        load(compose("dataset=chorales", f"dataset.path={tmp_path}/none.mat").dataset, seed=1)
