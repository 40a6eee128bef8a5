"""The playground in a browser: the sentence of a neuron, one example by hand, training, sharing, a phone."""

import gzip
import json
import random
import re

import pytest
from support.browser import CHROMIUM, Browser
from support.playground import ROOT, build

from nn import MLP, deltas

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

HELPERS = """
window.$$ = (selector) => [...document.querySelectorAll(selector)];
window.text = (selector) => document.querySelector(selector).textContent;
window.press = (name) => $$("button").find((one) => one.textContent.endsWith(name)).click();
window.neuron = (name) => document.querySelector(`[data-neuron="${name}"]`);
window.numbers = (name) => [...neuron(name).querySelectorAll(".number")].map((one) => one.textContent);
window.choose = (name) => neuron(name).dispatchEvent(new MouseEvent("click", { bubbles: true }));
window.write = (selector, value, event = "input") => {
  const field = document.querySelector(selector);
  field.value = value;
  field.dispatchEvent(new Event(event, { bubbles: true }));
};
window.pick = (label, value) => write(`[aria-label="${label}"]`, value, "change");
window.wait = (ms) => new Promise((done) => setTimeout(done, ms));
window.minus = (text) => Number(text.replaceAll("−", "-"));
"""


#: Whether Δ by hand, by autograd and by nudging agree.
VERDICTS = "$$('.ways dd').map((one) => one.textContent.split(':')[0]).filter((_, i) => i % 2)"

#: The contrast of each text with its background, as WCAG defines it.
CONTRASTS = """(() => {
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!colour.endsWith(", 0)")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const hasText = (e) => [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const texts = $$("main *").filter((e) => !e.closest("svg") && e.offsetParent && hasText(e));
  return texts.map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((p, q) => q - p);
    return [(a + 0.05) / (b + 0.05), e.textContent.slice(0, 30)];
  });
})()"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as one:
        one.call("Emulation.setFocusEmulationEnabled", enabled=True)
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("playground") / "index.html"
    path.write_text(build.page(), encoding="utf-8")
    return path


@pytest.fixture
def show(browser, page):
    """A function that opens the playground, and returns the browser."""

    def opened(at="", width=1280, dark=False):
        browser.window(width, 844 if width < 600 else 900, dark)
        browser.open(page, at)
        browser.run(HELPERS)
        return browser

    yield opened
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("file:")] == []


def preset(browser, name):
    browser.run(f"$$('#presets button').find((one) => one.textContent.includes({json.dumps(name)})).click()")


def mazur():
    """Return Mazur's net as a model, with its sample."""
    model = MLP(2, [2, 2], "sigmoid", "sigmoid")
    weights = [0.15, 0.2, 0.35, 0.25, 0.3, 0.35, 0.4, 0.45, 0.6, 0.5, 0.55, 0.6]
    for p, number in zip(model.parameters(), weights, strict=True):
        p.data = number
    return model, [0.05, 0.1], [0.01, 0.99]


def test_the_page_is_one_small_file_without_third_party_code(page):
    assert len(gzip.compress(page.read_bytes())) <= 40_000
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""src=|href=["']|@import|^(import|export) """, text, re.MULTILINE)
    assert sorted(path.stem for path in (ROOT / "web/playground").glob("*.js")) == sorted(build.MODULES[1:])


def test_the_first_screen_shows_a_net_and_the_sentence_of_the_chosen_neuron(show):
    browser = show()
    assert browser.run("$$('.neuron').length") == 4
    assert browser.run("$$('.weight').length") == 8
    sentence = browser.run("text('.sentence')")
    found = re.fullmatch(r"Δ₁,₀ = (.+) × \((.+) × (.+) \+ (.+) × (.+)\) = (.+) × (.+) = (.+)", sentence)
    g, w0, d0, w1, d1, _, total, delta = [float(x.strip("()").replace("−", "-")) for x in found.groups()]
    assert g * (w0 * d0 + w1 * d1) == pytest.approx(delta, rel=2e-3)
    assert w0 * d0 + w1 * d1 == pytest.approx(total, rel=2e-3)
    assert browser.run(VERDICTS) == ["the line above", "✓ the same", "✓ the same"]


def test_the_numbers_in_the_neurons_are_those_of_python(show):
    browser = show()
    preset(browser, "Mazur")
    for row in deltas(*mazur()).neurons:
        got = [
            browser.run(f"minus({json.dumps(x)})")
            for x in browser.run(f"numbers('{row.layer - 1}.{row.index}')")
        ]
        assert got == pytest.approx([row.z, row.a, row.textbook], rel=6e-4)
    assert browser.run("$$('.weight').map((one) => one.textContent)") == [
        "0.15",
        "0.2",
        "0.25",
        "0.3",
        "0.4",
        "0.45",
        "0.5",
        "0.55",
    ]
    assert browser.run("text('#error')") == "E = 0.2984"


def test_each_factor_lights_its_edge_and_its_neuron(show):
    browser = show()
    lit = "$$('.lit[data-edge], .lit[data-neuron]').map((one) => one.dataset.edge ?? one.dataset.neuron)"
    browser.run("document.querySelectorAll('.sentence .factor')[1].focus()")
    assert browser.run(lit) == ["1.0.0", "1.0.0"]  # the line and its weight
    browser.run("document.querySelectorAll('.sentence .factor')[4].focus()")
    assert sorted(browser.run(lit)) == ["1.1", "1.1.0", "1.1.0"]
    browser.run(
        "document.querySelectorAll('.sentence .factor')[0].dispatchEvent(new MouseEvent('mouseenter'))"
    )
    assert "0.0" in browser.run(lit)


@pytest.mark.parametrize(
    ("loss", "rule"),
    [
        ("half_squared_error", "Δk = g'(ink) · (tk − ak)"),
        ("mean_squared_error", "Δk = g'(ink) · 2/2 (tk − ak)"),
        ("hinge", "Δk = g'(ink) · (tk / 2 if tk ak < 1, else 0)"),
        ("binary_cross_entropy", "Δk = g'(ink) · (tk − σ(ak)) / 2"),
        ("cross_entropy", "Δk = g'(ink) · (tk − softmax(a)k)"),
    ],
)
def test_the_sentence_of_an_output_follows_the_loss(show, loss, rule):
    browser = show(f"#hidden=2&outputs=2&activations=tanh,tanh&loss={loss}&chosen=1,1")
    assert browser.run("text('.rule')") == rule
    assert browser.run(VERDICTS)[1:] == ["✓ the same", "✓ the same"]
    *_, result = browser.run("$$('.sentence')[0].textContent.split(' = ')")
    factors = (
        browser.run("$$('.sentence')[0].textContent.split(' = ')[1]").replace("−", "-").replace("×", "*")
    )
    assert eval(factors) == pytest.approx(float(result.replace("−", "-")), rel=2e-3)


def test_changing_a_weight_changes_every_number_at_once(show):
    browser = show()
    preset(browser, "Mazur")
    browser.run("choose('1.0')")
    browser.run("write('#weights [data-input=\"0\"]', '−1/2')")
    model, x, t = mazur()
    model.layers[1].neurons[0].w[0].data = -0.5
    row = next(row for row in deltas(model, x, t).neurons if (row.layer, row.index) == (1, 0))
    assert browser.run("minus(numbers('0.0')[2])") == pytest.approx(row.textbook, rel=6e-4)
    assert browser.run("$$('.weight').map((one) => one.textContent)[4]") == "−0.5"
    assert browser.run("document.querySelector('#weights input[type=range]').value") == "-0.5"
    browser.run("write('#weights [data-input=\"0\"]', 'x')")
    assert (
        browser.run("document.querySelector('#weights [data-input=\"0\"]').getAttribute('aria-invalid')")
        == "true"
    )
    assert browser.run("$$('.weight').map((one) => one.textContent)[4]") == "−0.5"


def test_a_slider_that_moves_is_not_replaced_and_its_field_follows(show):
    browser = show()
    found = browser.run(
        "(() => { const slider = document.querySelector('#weights input[type=range]'); slider.value = 1.5;"
        " slider.dispatchEvent(new Event('input')); const there = document.body.contains(slider);"
        " const field = document.querySelector('#weights [data-input=\"0\"]');"
        " return [there, field.value, text('.weight'), text('#weights .number')]; })()"
    )
    assert found[:3] == [True, "1.5", "1.5"]
    assert found[3].startswith("0.0995 × ")


def test_one_example_by_hand_shows_each_stage_and_makes_the_step(show):
    browser = show()
    preset(browser, "Mazur")
    browser.run("press('Forward')")
    assert browser.run("['0.0', '1.0'].map((name) => numbers(name)[2])") == ["?", "?"]
    assert browser.run("numbers('1.0')[1]") == "0.7514"
    browser.run("press('Δ at the output')")
    assert browser.run("['0.0', '1.0'].map((name) => numbers(name)[2])") == ["?", "−0.1385"]
    browser.run("press('Δ inside')")
    assert browser.run("numbers('0.0')[2]") == "−0.008771"
    browser.run("press('Update')")
    assert browser.run("$$('.weight')[4].textContent") == "0.359"  # 0.35891648
    assert browser.run("numbers('0.0')") == ["?", "?", "?"]
    browser.run("press('show all')")
    assert browser.run("minus(text('#error').slice(4))") == pytest.approx(
        0.28047, rel=1e-3
    )  # biases move, too


def test_a_prediction_is_checked_before_the_number_is_shown(show):
    browser = show()
    preset(browser, "Mazur")
    browser.run("document.querySelector('#predict').click()")
    browser.run("press('Forward')")
    assert "in₁,₀" in browser.run("text('#question')")
    assert browser.run("numbers('0.0')") == ["?", "?", "?"]
    browser.type("0.3775")
    browser.press("Enter")
    assert browser.run("text('#verdict')").startswith("✓ Right: it is 0.3775. 1 of 1 right.")
    browser.run("press('Δ at the output')")
    assert browser.run("$$('.sentence')[0].textContent").endswith("= ?")
    browser.type("0,1385")
    browser.press("Enter")
    assert "✗ Not right: it is −0.1385, and you wrote 0.1385: look at the sign" in browser.run(
        "text('#verdict')"
    )
    browser.run("press('Δ inside')")
    browser.run("press('show it')")
    assert browser.run("numbers('0.0')[2]") == "−0.008771"
    browser.run("press('Update')")
    assert "w + η a Δ" in browser.run("text('#question')")
    browser.type("0.1498")
    browser.press("Enter")
    assert "2 of 3 right" in browser.run("text('#verdict')")


def test_training_lowers_the_loss_and_can_be_paused(show):
    browser = show()
    preset(browser, "XOR")
    before = browser.run("history_loss = minus(text('#result').match(/loss (\\S+),/)[1])")
    browser.run("press('Run')")
    browser.run("wait(400)")
    browser.run("press('Pause')")
    epoch = browser.run("text('#result')")
    browser.run("wait(100)")
    assert browser.run("text('#result')") == epoch
    assert browser.run("minus(text('#result').match(/loss ([^,]+)/)[1])") < before
    assert browser.run("$$('#deltas polyline').length") == 2
    browser.run("press('Reset')")
    assert browser.run("text('#result')").startswith("epoch 0")


@pytest.mark.parametrize("again", [False, True])
def test_reset_returns_to_the_weights_of_the_example(show, again):
    browser = show()
    preset(browser, "Mazur")
    browser.run("press('One epoch'), wait(400)")
    assert browser.run("$$('.weight')[4].textContent") == "0.359"
    if again:
        browser = show(browser.run("location.hash"))
        assert "Mazur" in browser.run("text('#presets [aria-pressed=true]')")
    browser.run("press('Reset')")
    assert browser.run("$$('.weight')[4].textContent") == "0.4"
    browser.run("pick('neurons in hidden layer 1', '3')")
    assert browser.run("text('#preset')") == ""


def test_a_loss_that_is_not_finite_stops_the_training_with_a_message(show):
    browser = show("#hidden=2&outputs=1&activations=linear,linear&rate=1000&momentum=0")
    browser.run("press('Run')")
    browser.run("wait(600)")
    assert "no longer a finite number" in browser.run("text('#problem')") or "too large" in browser.run(
        "text('#problem')"
    )
    assert browser.run("text('#go')") == "Run"


def test_a_point_outside_the_domain_is_told_and_does_not_break_the_page(show):
    browser = show("#hidden=2&outputs=1&activations=log,linear")
    assert "not defined for this example" in browser.run("text('#told')")
    assert browser.run("numbers('0.0')") == ["?", "?", "?"]
    browser.run("pick('activation of hidden layer 1', 'tanh')")
    assert browser.run("$$('.ways').length") == 1


def test_the_boundary_is_drawn_and_points_are_added_with_a_click_and_with_fields(show):
    browser = show()
    colours = browser.run(
        "const context = document.querySelector('#boundary').getContext('2d');"
        "const d = context.getImageData(0, 0, 350, 350).data;"
        "new Set(Array.from({ length: 350 * 350 }, (_, i) => d[4 * i])).size"
    )
    assert colours > 10
    browser.tap("#boundary")
    assert "41 of 41" in browser.run("text('#example')")
    assert browser.run("document.querySelector('[name=data]').value") == "drawn"
    for i, number in enumerate(["0.25", "−1"]):
        browser.run(f"""write('#points [aria-label="x {i} of the new point"]', '{number}')""")
    browser.run("document.querySelector('#points form').requestSubmit()")
    assert browser.run("$$('#example input').map((one) => one.value)") == ["0.25", "-1", "0", "1"]
    browser.run("press('undo')")
    assert "of 41" in browser.run("text('#example')")
    browser.run("press('start anew')")
    assert "replaces all points" in browser.run("text('#problem')")
    browser.tap("#boundary")
    assert "1 of 1" in browser.run("text('#example')")


@pytest.mark.parametrize("key", ["mazur", "dead"])
def test_an_address_with_the_key_of_an_example_alone_opens_that_example(show, key):
    browser = show(f"#preset={key}")
    shown = "[text('#told'), ...$$('.weight').map((one) => one.textContent)].join()"
    opened = browser.run(shown)
    browser.run("document.querySelector('#presets [aria-pressed=true]').click()")
    assert opened == browser.run(shown)


def test_an_input_has_the_same_digits_in_its_field_as_in_the_sum(show):
    browser = show("#own=0.12345,0.98765;0,1")
    field = browser.run("$$('#example input').find((one) => one.ariaLabel === 'input x 1').value")
    assert field == "0.9877"
    assert field in browser.run("text('#told')")


def test_a_click_on_a_weight_opens_its_field(show):
    browser = show()
    browser.run(
        "document.querySelector('.weight[data-edge=\"1.1.0\"]').dispatchEvent(new MouseEvent('click'))"
    )
    assert browser.run("text('#panel h2')").startswith("Neuron 2,1")
    assert browser.run("document.activeElement.getAttribute('aria-label')") == (
        "the weight from neuron 1,0 to neuron 2,1"
    )


def test_at_a_kink_the_page_says_so(show):
    browser = show("#hidden=1&outputs=1&activations=relu,linear&weights=1,0,0,1,0&own=0,0;1")
    assert "in = 0 is a kink, where there is no derivative: the table gives 0" in browser.run("text('#told')")
    assert browser.run(VERDICTS) == ["the line above", "✓ the same", "✗ differs"]


@pytest.mark.parametrize(
    "name", ["A first look", "Mazur", "XOR", "A dead relu", "A deep sigmoid", "All weights equal"]
)
def test_the_address_has_the_whole_state(show, name):
    browser = show()
    preset(browser, name)
    browser.run("press('One epoch')")
    browser.run("choose('0.1'), wait(400)")
    address = browser.run("location.hash")
    seen = (
        "[...['.neurons', '.labels', '.inputs', '#result', '#told', '#weights', '#error'].map(text),"
        " ...$$('#settings input, #settings select, #example input').map((one) => one.value)]"
    )
    before, after_step = browser.run(seen), f"(press('One epoch'), {seen})"
    stepped = browser.run(after_step)
    browser = show(address)
    assert browser.run(seen) == before
    if name != "XOR":
        assert browser.run(after_step) == stepped  # the velocity is in the address, too


def test_a_wrong_address_is_told_and_the_page_starts(show):
    browser = show("#rate=abc")
    assert "cannot be shown: the learning rate η is a positive number" in browser.run("text('#problem')")
    assert browser.run("$$('.neuron').length") == 4
    for at, words in {
        "#hidden=99": "1 to 12 neurons",
        "#lr=1": "unknown setting",
        "#weights=1,2": "12 weights",
        "#activations=huh,tanh": "unknown activation huh",
    }.items():
        assert words in show(at).run("text('#problem')")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "this file is not a saved playground: it is no JSON"),
        ("null", "this file is not a saved playground"),
        ('{"hidden": [2]}', "this file is not a saved playground"),
        ('{"chalkgrad": "playground", "hidden": "2"}', "hidden has a value of a wrong kind"),
        ('{"chalkgrad": "playground", "loss": "toString"}', "unknown loss toString"),
        ('{"chalkgrad": "playground", "data": "constructor"}', "unknown data set constructor"),
        ('{"chalkgrad": "playground", "own": {}}', "an example has 2 inputs and one target for each output"),
        ('{"chalkgrad": "playground", "weights": [null]}', "this net has 12 weights, all finite numbers"),
        ('{"chalkgrad": "playground", "data": "drawn"}', "drawn data have at least one point"),
        ('{"chalkgrad": "playground", "points": [{"c": 2}]}', "pairs of numbers with a class, 0 or 1"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(show, text, words):
    browser = show()
    found = browser.run(
        "((text) => { try { module_state.fromFile(text); } catch (failure) { return failure.message; } })"
        f"({json.dumps(text)})"
    )
    assert words in found
    assert "\n" not in found


@pytest.mark.parametrize("chosen", ["0,-1", "5,0", "0,0.5", "x"])
def test_a_neuron_that_does_not_exist_is_not_chosen(show, chosen):
    assert show(f"#chosen={chosen}").run("text('#panel h2')").startswith("Neuron 1,0")


def test_a_large_net_says_that_its_weights_need_a_file(show):
    browser = show("#hidden=12,8&outputs=1&activations=tanh,tanh,sigmoid")
    browser.run("choose('0.3'), wait(400)")
    assert "save it as a file" in browser.run("text('#note')")
    assert "weights" not in browser.run("location.hash")
    before = browser.run("module_state.toFile(module_state.fromAddress(location.hash))")
    assert browser.run(f"module_state.toFile(module_state.fromFile({json.dumps(before)}))") == before
    assert (
        browser.run("(() => { try { module_state.fromFile('{}'); } catch (e) { return e.message; } })()")
        == "this file is not a saved playground"
    )


def test_every_activation_and_initializer_can_be_chosen(show):
    browser = show()
    symbols = browser.run(
        "$$('[aria-label=\"activation of hidden layer 1\"] option').map((one) => one.value)"
    )
    assert symbols == browser.run("module_state.activations.map((name) => name ?? 'linear')")
    for symbol in symbols:
        browser.run(f"pick('activation of hidden layer 1', {json.dumps(symbol)})")
        assert browser.run("state_is_told = text('#told').length") > 40, symbol
    browser.run("pick('initial weights', 'zeros')")
    assert set(browser.run("$$('.weight').map((one) => one.textContent)")) == {"0"}


def test_the_net_is_reached_by_the_keyboard(show):
    browser = show()
    browser.run("document.querySelector('.neuron.chosen').focus()")
    browser.press("ArrowDown")
    assert browser.run("text('#panel h2')").startswith("Neuron 1,1")
    browser.press("ArrowRight", "ArrowUp")
    assert browser.run("text('#panel h2')").startswith("Neuron 2,0: output layer")
    assert browser.run("document.activeElement.dataset.neuron") == "1.0"
    label = browser.run("document.activeElement.getAttribute('aria-label')")
    assert re.fullmatch(r"2,0 sigmoid in \S+ a \S+ Δ \S+, output neuron", label)
    assert browser.run("$$('.neuron[tabindex=\"0\"]').length") == 1


def test_the_focus_stays_on_the_control_that_was_used(show):
    browser = show()
    for name in "Mazur’s example", "One epoch", "Reset":
        browser.run(f"$$('button').find((one) => one.textContent === '{name}').focus()")
        browser.press("Enter")
        assert browser.run("document.activeElement.textContent") == name
    browser.run("document.querySelector('[name=rate]').focus()")
    browser.run("write('[name=rate]', '0.25', 'change')")
    assert browser.run("document.activeElement.name + document.activeElement.value") == "rate0.25"
    browser.run("document.querySelector('[aria-label=\"activation of hidden layer 1\"]').focus()")
    browser.run("pick('activation of hidden layer 1', 'tanh')")
    assert browser.run("document.activeElement.value") == "tanh"


def test_a_sample_outside_the_domain_does_not_hide_the_example(show):
    at = "#hidden=1&outputs=1&activations=log,linear&weights=1,0,0.5,1,0&data=drawn&points=1,0,0;-3,0,1"
    browser = show(f"{at}&example=0")
    assert browser.run("numbers('0.0')[1]") == "0.4055"
    browser.run("pick('example', '1')")
    assert "not defined for this example" in browser.run("text('#told')")


def test_every_control_has_a_name_and_every_text_enough_contrast(show):
    for dark in False, True:
        browser = show(dark=dark)
        unnamed = browser.run(
            "$$('button, input, select, textarea, canvas, svg[role=img]').filter((one) => !one.hidden &&"
            " !(one.getAttribute('aria-label') || one.textContent.trim()"
            " || one.closest('label')?.textContent.trim())).map((one) => one.outerHTML)"
        )
        assert unnamed == []
        ratios = browser.run(CONTRASTS)
        assert [entry for entry in ratios if entry[0] < 4.5] == []


@pytest.mark.parametrize("width", [390, 736, 1280])
def test_nothing_is_wider_than_the_window(show, width):
    browser = show(width=width)
    for name in "first", "Mazur", "deep", "equal":
        preset(browser, name)
        assert browser.run("document.documentElement.scrollWidth") <= width, name


#: The pairs of weights that cover each other, and those of a weight and a neuron.
COVERED = """(() => {
  const place = (one) => one.getBoundingClientRect();
  const weights = $$(".weight text").map(place), boxes = $$(".box").map(place);
  const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5;
  const pairs = weights.flatMap((a, i) => [...weights.slice(i + 1), ...boxes].map((b) => [a, b]));
  return pairs.filter(([a, b]) => covers(a, b)).length;
})()"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("hidden", ["2", "1,5,1", "3,3,3,3,3,3,3", "12,12"])
def test_no_weight_covers_another_or_a_neuron(show, hidden, width):
    names = ",".join(["tanh"] * (hidden.count(",") + 2))
    browser = show(f"#hidden={hidden}&outputs=2&activations={names}", width=width)
    assert browser.run("$$('.weight').length") > 0
    assert browser.run(COVERED) == 0


def test_saturated_and_dead_neurons_are_marked_with_a_word(show):
    browser = show()
    preset(browser, "dead relu")
    assert browser.run("neuron('0.0').querySelector('.note').textContent") == "dead"
    assert "dead" in browser.run("neuron('0.0').getAttribute('aria-label')")
    assert "Δ is 0: a small change" in browser.run("(choose('0.0'), text('#told'))")
    browser = show("#hidden=2&outputs=1&activations=sigmoid,linear&weights=9,9,0,1,0,0,1,1,0")
    assert browser.run("neuron('0.0').querySelector('.note').textContent") == "saturated"
    assert browser.run("neuron('0.1').querySelector('.note').textContent") == "sigmoid"


def python_cases():
    yield "default", ""
    yield "mazur", "Mazur"
    rng = random.Random(4)
    losses = ["half_squared_error", "mean_squared_error", "hinge", "binary_cross_entropy", "cross_entropy"]
    for loss in losses:
        outputs = 2 if loss == "cross_entropy" else rng.choice([1, 2])
        batch = rng.choice([0, 6])
        net = f"#hidden=3,2&outputs={outputs}&activations=tanh,gelu,linear"
        yield loss, f"{net}&loss={loss}&batch={batch}&data=moons&n=20&momentum=0.5"


#: The outputs, every Δ, the weights after the step by hand, and those after one epoch of training.
STEPS = """() => {
  const { forward, deltas, gradients, update } = module_textbook, { batches, step } = module_training;
  const { fromAddress, samples, flat } = module_state, s = fromAddress(location.hash), data = samples(s);
  const { x, t } = s.own ?? data[s.example], stepped = update(s.net, gradients(s.net, x, t, s.loss), s.rate);
  const found = [forward(s.net, x).outs.at(-1), deltas(s.net, x, t, s.loss).flat()];
  found.push(stepped.flatMap(({ W }, l) => W.flatMap((row, k) => row.map((w, j) => [l + 1, k, j, w]))));
  for (const batch of batches(data, s.batch, s.seed, s.epoch)) {
    step(s.net, s.velocity, batch, s.loss, s.rate, s.momentum);
  }
  return [...found, flat(s.net)];
}"""


@pytest.mark.parametrize(("name", "at"), list(python_cases()))
def test_the_copied_program_has_the_same_forward_pass_deltas_and_steps(show, name, at, capsys):
    browser = show(at if at.startswith("#") else "")
    if at and not at.startswith("#"):
        preset(browser, at)
    browser.run("press('One epoch'), press('One epoch'), press('Copy as Python'), wait(400)")
    program = browser.run("document.querySelector('#text').value")
    names = {"__name__": "copied"}
    exec(program, names)
    assert "after one epoch" in capsys.readouterr().out
    got = browser.run(f"({STEPS})()")
    near = {"rel": 1e-12, "abs": 1e-12}
    report = names["report"]
    assert [row.a for row in report.neurons][-len(got[0]) :] == pytest.approx(got[0], **near)
    assert [row.textbook for row in report.neurons] == pytest.approx(got[1], **near)
    assert names["stepped"] == pytest.approx({(l, k, j): w for l, k, j, w in got[2]}, **near)
    assert [p.data for p in names["model"].parameters()] == pytest.approx(got[3], **near)
