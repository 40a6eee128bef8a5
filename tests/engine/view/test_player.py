"""The player in a browser: steps, prediction, changed leaves, keyboard, phone, themes; no outside request."""

import os
import random
from pathlib import Path

import pytest
from support.browser import CHROMIUM, Browser

from engine import Value, exp, log, play, tanh, topological_order
from nn import MLP, Neuron
from nn.training.losses import half_squared_error

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

HELPERS = """
window.player = document.querySelector(".chalkgrad");
window.nodes = [...player.querySelectorAll(".node")];
window.node = (name) => nodes.find((node) => node.querySelector(".name")?.textContent === name);
window.rows = (name) => [...node(name).querySelectorAll(".row")].map((row) => row.textContent);
window.text = (selector) => player.querySelector(selector).textContent;
window.step = () => parseInt(text(".count"));
window.drawn = (name) => [...player.querySelectorAll(`.edge.${name}`)].length;
window.press = (label) =>
  [...player.querySelectorAll("button")].find((one) => one.textContent === label).click();
window.choose = (name) => node(name).dispatchEvent(new MouseEvent("click", { bubbles: true }));
window.answer = (typed) => {
  player.querySelector(".answer input").value = typed;
  press("check");
  return text(".verdict");
};
window.change = (name, number) => {
  if (!player.querySelector(".change")?.textContent.startsWith(`change ${name} `)) choose(name);
  player.querySelector(".change input").value = number;
  player.querySelector(".change button").click();
};
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as one:
        yield one


@pytest.fixture
def show(browser, tmp_path):
    """A function that opens the player of a graph, and returns the browser."""

    def opened(root, at="", width=1280, dark=False, still=True, title="", start=0):
        browser.window(width, 844 if width < 600 else 800, dark, still)
        browser.open(play(root, title=title, start=start).save(tmp_path / "page.html"), at)
        browser.run(HELPERS)
        return browser

    yield opened
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("file:")] == []


def square():
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    return y


def neuron_loss():
    neuron = Neuron(2, activation="tanh", rng=random.Random(1))
    loss = 0.5 * (1 - neuron([1.0, -2.0])) ** 2
    loss.label = "E"
    return loss


def net_loss():
    model = MLP(2, [3, 2], activation="tanh", output="tanh", rng=random.Random(1))
    loss = half_squared_error(model([1.0, -2.0]), [1, 0])
    loss.label = "E"
    return loss


def by_hand():
    a, b = Value(2.0, label="a"), Value(5.0, label="b")
    out = Value(a.data * b.data, (a, b), "mine", label="out")

    def closure():
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = closure
    return out


# Steps


@pytest.mark.parametrize(("start", "at", "step"), [(0, "", 0), (2, "", 2), (2, "#1", 1), (4, "", 4)])
def test_a_player_opens_at_its_start_unless_the_address_names_a_step(show, start, at, step):
    assert show(square(), at, start=start).run("step()") == step


@pytest.mark.parametrize("start", [-1, 5, True, "2", 1.5])
def test_a_start_that_is_no_step_is_refused(start):
    with pytest.raises(ValueError, match="starts at a step from 0 to 4, not at"):
        play(square(), start=start)


@pytest.mark.parametrize("loss", [neuron_loss, net_loss, by_hand])
def test_at_the_last_step_the_gradients_are_those_of_backward(show, loss):
    root = loss()
    shown = show(root, "#end").run("nodes.map((node) => node.dataset.grad)")
    root.backward()
    for node, grad in zip(topological_order(root), shown, strict=True):
        if not node.constant:
            assert float(grad) == node.grad


def test_each_step_shows_what_has_been_computed_so_far(show):
    browser = show(square())
    seen = []
    for _ in range(5):
        seen.append((browser.run("rows('y')"), browser.run("rows('x')"), browser.run("text('.sentence')")))
        browser.press("ArrowRight")
    assert [y for y, _, _ in seen[:3]] == [["data –", "grad –"], ["data 9", "grad –"], ["data 9", "grad 1"]]
    assert [y for y, _, _ in seen[3:]] == [["data 9", "grad 1"]] * 2
    assert [x for _, x, _ in seen] == [["data 3", f"grad {grad}"] for grad in ("–", "–", "–", "3", "6")]
    before, forward, turn, half, whole = [sentence for _, _, sentence in seen]
    assert before == "BeforeThe leaf has its number. Nothing is computed yet."
    assert forward == "Forward, step 1 of 1y = x · x = 3 · 3 = 9"
    assert turn == "Backwardy is computed. The backward pass starts at y, with ∂y/∂y = 1."
    assert "The 1st edge x → y has the local gradient x = 3." in half
    assert "Upstream × local = contribution: 1 × 3 = 3." in half
    assert "The gradient of x becomes 0 + 3 = 3." in half
    assert "The gradient of x becomes 3 + 3 = 6." in whole


def test_plain_numbers_are_not_counted_as_leaves(show):
    assert show(neuron_loss()).run("text('.sentence')").startswith("BeforeThe 5 leaves have their numbers.")


def test_in_the_backward_pass_an_edge_is_lit_against_the_arrow_with_its_product_on_it(show):
    browser = show(square(), "#3")
    assert browser.run("[...player.querySelectorAll('.term text')].map((line) => line.textContent)") == [
        "∂y/∂y · x", "1 × 3", "= 3",
    ]  # fmt: skip
    heads = """(kind) => [...player.querySelectorAll(`.edge${kind}`)].map((edge) => ["forward", "backward"]
      .filter((head) => getComputedStyle(edge.querySelector(`.${head}`)).display !== "none"))"""
    assert browser.run(f"({heads})('.now')") == [["backward"]]
    assert browser.run(f"({heads})(':not(.now)')") == [["forward"]]


def test_the_contribution_moves_along_the_edge_and_lands_in_the_gradient(show):
    browser = show(square(), "#3", still=False)
    browser.press("ArrowRight")
    frames = browser.run("""new Promise((done) => {
      const seen = [], look = () => {
        const token = player.querySelector(".token");
        seen.push([token?.transform.baseVal[0]?.matrix.e ?? null, rows("x")[1]]);
        if (token) requestAnimationFrame(look); else done(seen);
      };
      look();
    })""")
    places = [x for x, _ in frames if x is not None]
    assert places[1] > places[-1] + 40  # from the child, at the right, to the parent
    assert (frames[0][1], frames[-1][1]) == ("grad 3", "grad 6")


def test_in_a_neuron_the_textbooks_quantities_are_named(show):
    browser = show(net_loss(), "#end")
    sentences = []
    for _ in range(60):
        sentences.append(browser.run("text('.sentence')"))
        browser.press("ArrowLeft")
    lines = "\n".join(sentences)
    assert "Δₖ = g'(inₖ) · (-∂E/∂aₖ) = " in lines
    assert "Δₖ = g'(inₖ) · Σ w Δ = " in lines
    assert "-∂E/∂wⱼₖ = aⱼ · Δₖ = " in lines
    assert "one term of Σ w Δ for a1_0: wⱼₖ · Δₖ = " in lines
    assert "a bias is a weight whose input is 1. -∂E/∂bₖ = 1 · Δₖ = " in lines
    browser.press("End")
    data, grad, delta = browser.run("rows('z2_0')")
    assert data.startswith("data ")
    assert float(delta.split()[1]) == -float(grad.split()[1])


def test_where_a_neuron_has_no_loss_its_activation_takes_the_place_of_E(show):
    a = Neuron(2, activation="tanh", rng=random.Random(1))([1.0, -2.0])
    browser = show(a, "#4")
    assert "where inₖ is z, an output. Here a takes the place of E." in browser.run("text('.sentence')")
    assert "takes the place" not in show(neuron_loss(), "#10").run("text('.sentence')")


def test_on_a_short_edge_the_product_does_not_hide_the_arrow(show):
    browser = show(Neuron(2, activation="tanh", rng=random.Random(1))([1.0, -2.0]), "#4", width=736)
    below = browser.run("player.querySelector('.term rect').getBoundingClientRect().bottom")
    assert browser.run("player.querySelector('.edge.now path').getBoundingClientRect().top") > below


def test_the_sentence_keeps_a_distance_from_the_picture(show):
    browser = show(net_loss(), "#end", width=970)
    assert len(browser.run("text('.sentence')")) > 150
    end = browser.run("player.querySelector('.sentence').lastChild.getBoundingClientRect().bottom")
    assert browser.run("player.querySelector('.stage').getBoundingClientRect().top") > end + 4


def test_a_step_draws_only_what_changed(show):
    browser = show(net_loss(), "#30")
    drawn = browser.run("""new Promise((done) => {
      const seen = new Set(), add = (all) => all.forEach(({ target }) => seen.add(target));
      const observer = new MutationObserver(add);
      observer.observe(player.querySelector("svg"), { attributes: true, characterData: true, subtree: true });
      press("▶");
      requestAnimationFrame(() => done([...seen].filter((part) => part.matches?.(".node, .edge")).length));
    })""")
    assert 0 < drawn <= 8  # the nodes and the edges of two steps


def test_the_slider_and_the_buttons_move(show):
    browser = show(square())
    assert browser.run("press('▶'), press('▶'), press('◀'), step()") == 1
    assert browser.run("press('▶|'), press('▶'), step()") == 4
    assert browser.run("press('|◀'), press('◀'), step()") == 0
    browser.run("slider = player.querySelector('[type=range]'); slider.value = 3")
    assert browser.run("slider.dispatchEvent(new Event('input')), step()") == 3


def test_the_player_plays_at_the_chosen_speed_and_pauses(show):
    browser = show(square())
    browser.run("player.querySelector('select').value = 350; press('play')")
    assert browser.run("new Promise((done) => setTimeout(() => done(step()), 2200))") == 4
    assert browser.run("[...player.querySelectorAll('.bar button')][2].textContent") == "play"
    browser.press("Home", " ")
    assert browser.run("[...player.querySelectorAll('.bar button')][2].textContent") == "pause"
    browser.press(" ")
    at = browser.run("step()")
    assert browser.run("new Promise((done) => setTimeout(() => done(step()), 500))") == at


# Predict first


def test_a_number_is_hidden_until_it_is_predicted(show):
    browser = show(square())
    browser.run("player.querySelector('[type=checkbox]').click()")
    browser.press("ArrowRight")
    assert browser.run("rows('y')") == ["data –", "grad –"]
    assert browser.run("text('.sentence')") == "Forward, step 1 of 1y = x · x = 3 · 3 = ?"
    assert browser.run("answer('nine')").startswith("Type a number")
    assert browser.run("answer('9.05')") == "Right: it is 9."
    assert browser.run("rows('y')") == ["data 9", "grad –"]
    browser.press("ArrowRight", "ArrowRight")
    assert "= ?" in browser.run("text('.term')")
    assert "= ?." in browser.run("text('.sentence')")
    assert browser.run("[rows('x'), node('x').dataset.grad]") == [["data 3", "grad –"], ""]
    wrong = browser.run("[answer('4'), text('.score'), rows('x')[1]]")
    assert wrong == ["Not quite: 1 × 3 = 3, and you typed 4.", "1 of 2 right", "grad 3"]
    browser.press("ArrowRight")
    assert browser.run("rows('x')[1]") == "grad 3"
    assert browser.run("press('show it'), [text('.verdict'), rows('x')[1]]") == ["It is 1 × 3 = 3.", "grad 6"]
    assert browser.run("text('.score')") == "1 of 2 right"


@pytest.mark.parametrize(("typed", "right"), [("1/3", True), ("0,3333", True), ("0.34", False), ("0", False)])
def test_a_prediction_is_judged_to_within_one_percent(show, typed, right):
    x = Value(1.0, label="x")
    browser = show(x / 3)
    browser.run("player.querySelector('[type=checkbox]').click()")
    browser.press("ArrowRight")
    browser.run("player.querySelector('.answer input').focus()")
    browser.type(typed)
    browser.press("Enter")
    verdict = (
        "Right: it is 0.3333." if right else f"Not quite: x / 3 = 1 / 3 = 0.3333, and you typed {typed}."
    )
    assert browser.run("text('.verdict')") == verdict


def test_going_on_shows_the_hidden_number(show):
    browser = show(square())
    browser.run("player.querySelector('[type=checkbox]').click()")
    browser.press("ArrowRight", "ArrowRight")
    assert browser.run("rows('y')") == ["data 9", "grad 1"]


# Changed leaves


def test_a_changed_leaf_changes_every_number(show):
    root = net_loss()
    browser = show(root, "#end")
    browser.run("change('w1_0_0', '0.75'); change('x1', '-0.5')")
    [leaf] = [node for node in topological_order(root) if node.label == "w1_0_0"]
    model = MLP(2, [3, 2], activation="tanh", output="tanh", rng=random.Random(1))
    [own] = [w for w in model.parameters() if w.label == "w1_0_0"]
    own.data = 0.75
    other = half_squared_error(model([1.0, -0.5]), [1, 0])
    other.backward()
    assert leaf.data != 0.75
    shown = browser.run("nodes.map((node) => node.dataset.grad)")
    for node, grad in zip(topological_order(other), shown, strict=True):
        if not node.constant:
            assert float(grad) == pytest.approx(node.grad, rel=1e-12, abs=1e-15)
    assert browser.run("text('.note')") == f"x1 is -0.5, and E becomes {other.data:.4g}."
    browser.run("press('all as before')")
    assert browser.run("rows('E')[0]") == f"data {root.data:.4g}"


def test_where_python_raises_the_page_says_the_same_and_keeps_the_numbers(show):
    x = Value(3.0, label="x")
    browser = show(log(x) + exp(x), "#end")
    before = browser.run("player.querySelector('svg').textContent")
    with pytest.raises(ValueError, match="log") as error:
        log(Value(-1.0, label="x"))
    browser.run("change('x', '-1')")
    assert browser.run("text('.note')") == f"{error.value}. The numbers stay as they were."
    assert browser.run("player.querySelector('.change input').getAttribute('aria-invalid')") == "true"
    assert browser.run("player.querySelector('svg').textContent") == before
    browser.run("change('x', 'three')")
    assert browser.run("text('.note')") == "Type a number, such as 0.5, -2e-3 or 1/3; three is none."
    assert browser.run("player.querySelector('svg').textContent") == before


def test_where_a_closure_made_a_node_no_leaf_can_be_changed_and_the_page_says_why(show):
    browser = show(by_hand(), "#end")
    browser.run("choose('a')")
    assert browser.run("player.querySelector('.change')") is None
    assert browser.run("text('.note')") == (
        "The number cannot be changed here: out was made by hand, and a page cannot run its closure."
    )
    assert "has the local gradient 2, given by a closure of your own." in browser.run("text('.sentence')")


# Paths


def test_a_path_ends_in_its_product_and_several_in_their_sum(show):
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    L = y + x
    L.label = "L"
    browser = show(L)
    browser.run("choose('x')")
    lines = browser.run("[...player.querySelectorAll('.about li')].map((line) => line.textContent)")
    assert lines == ["x → y → L: 3 × 1 = 3", "x → y → L: 3 × 1 = 3", "x → L: 1"]
    assert "3 paths lead from x to L." in browser.run("text('.about')")
    assert browser.run("text('.about')").endswith("Sum: 3 + 3 + 1 = 7 = ∂L/∂x.")
    assert browser.run("drawn('path')") == 4
    browser.run("choose('x')")
    assert browser.run("drawn('path')") == 2
    browser.press("Escape")
    assert browser.run("drawn('path')") == 0


def test_while_paths_are_shown_no_product_of_a_step_covers_them(show):
    browser = show(net_loss(), "#end")
    term = "getComputedStyle(player.querySelector('.term')).display"
    assert browser.run(term) != "none"
    assert browser.run(f"choose('x0'), {term}") == "none"
    browser.press("Escape")
    assert browser.run(term) != "none"


def test_of_very_many_paths_eight_are_listed(show):
    y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    browser = show(y)
    browser.run("choose('x')")
    assert browser.run("player.querySelectorAll('.about li').length") == 8
    assert f"And {2**60 - 8} more. Together: ∂v60/∂x = 1.153e+18." in browser.run("text('.about')")


# Keyboard and screen reader


def test_everything_can_be_done_from_the_keyboard(show):
    browser = show(neuron_loss())
    assert browser.run("document.activeElement === document.body")  # no ring on load
    browser.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert browser.run("step()") == 1
    browser.press("End")
    assert browser.run("text('.count')") == "13 / 13"
    browser.press("Home", "Tab")
    assert browser.run("document.activeElement.className") == "stage"
    browser.press("ArrowDown", "ArrowUp", "ArrowUp")
    assert browser.run("document.activeElement.getAttribute('aria-label')").startswith("v")
    names = browser.run("document.activeElement.getAttribute('aria-label')")
    browser.press("Enter")
    assert browser.run("text('.about')").startswith(names.split()[0])
    browser.press("Escape")
    assert browser.run("text('.about')").startswith("Choose a node")
    assert browser.run("player.querySelectorAll('.stage [tabindex=\"0\"]').length") == 1


def test_every_control_has_a_name_for_screen_readers(show):
    browser = show(neuron_loss(), "#end", title="One neuron")
    unnamed = """[...player.querySelectorAll("button, input, select, [tabindex]")].filter((one) =>
      !(one.getAttribute("aria-label") || one.textContent.trim() || one.closest("label")?.textContent.trim()))
      .map((one) => one.outerHTML)"""
    assert browser.run(unnamed) == []
    assert browser.run("node('w0').getAttribute('aria-label')") == "w0 parameter data -0.7313 grad -0.1102"
    assert browser.run("player.getAttribute('aria-label')") == "One neuron"
    assert browser.run("player.querySelector('.sentence').getAttribute('aria-live')") == "polite"


AXE = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not in node_modules, and AXE does not name it")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(show, dark):
    browser = show(neuron_loss(), "#9", dark=dark)
    browser.run("choose('w0'), player.querySelector('[type=checkbox]').click(), press('▶'), 0")
    browser.run(f"{AXE.read_text(encoding='utf-8')}; 0")
    found = browser.run("axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => "
                        "[id, impact, nodes.map(({ html }) => html)]))")  # fmt: skip
    assert [one for one in found if one[1] in ("serious", "critical")] == []


# Sizes and themes


@pytest.mark.parametrize("width", [390, 736, 1280])
def test_text_is_readable_and_the_current_edge_is_in_view(show, width):
    browser = show(net_loss(), "#end", width=width)
    for _ in range(6):
        for _ in range(5):
            browser.press("ArrowLeft")
        parts = browser.run("""(() => {
          const view = player.querySelector(".stage").getBoundingClientRect();
          const now = innerWidth > 400 ? ".node.now" : ".node:has(.changed)";
          return [...player.querySelectorAll(now)].map((node) => {
            const box = node.querySelector(".box").getBoundingClientRect();
            return [box.left - view.left, view.right - box.right,
              box.top - view.top, view.bottom - box.bottom];
          });
        })()""")
        assert parts
        assert all(min(space) >= 0 for space in parts), parts
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run("svg = player.querySelector('svg'); 0")
    scale = browser.run("svg.getBoundingClientRect().width / parseFloat(svg.getAttribute('width'))")
    assert 13 * scale >= 10.99  # pixels of text


def test_on_a_phone_every_control_can_be_touched(show):
    browser = show(net_loss(), width=390)
    assert browser.run("document.documentElement.scrollWidth") <= 390
    small = """[...player.querySelectorAll("button, input, select")].filter((one) => one.offsetParent)
      .map((one) => one.closest("label") ?? one).map((one) => one.getBoundingClientRect())
      .filter((box) => box.height < 34 || box.width < 34).length"""
    assert browser.run(small) == 0
    assert browser.run("player.querySelector('[type=range]').getBoundingClientRect().width") > 200
    browser.tap('[aria-label="step on (→)"]')
    assert browser.run("step()") == 1
    overflow = (
        "[...player.querySelectorAll('button')].filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    )
    assert browser.run(overflow) == 0


def test_the_picture_can_be_made_larger_and_smaller(show):
    browser = show(net_loss())
    width = "player.querySelector('svg').getBoundingClientRect().width"
    fit = browser.run(width)
    assert browser.run(f"press('+'), {width}") == pytest.approx(1.25 * fit, rel=1e-4)
    assert browser.run(f"press('−'), press('−'), {width}") == pytest.approx(fit / 1.25, rel=1e-4)
    assert browser.run(f"press('fit'), {width}") == pytest.approx(fit, rel=1e-4)


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize(
    ("host", "dark"),
    [("title", None), ("body.dataset.jpThemeLight = 'false'", True),
     ("body.dataset.jpThemeLight = 'true'", False),
     ("body.dataset.theme = 'dark'", True), ("body.dataset.theme = 'light'", False),
     ("body.dataset.theme = 'auto'", None), ("documentElement.dataset.theme = 'dark'", True)],
)  # fmt: skip
def test_the_player_has_the_theme_of_the_page_around_it(show, host, dark, system):
    browser = show(square(), dark=system)
    browser.run(f"document.{host}; new Promise(requestAnimationFrame)")
    expected = system if dark is None else dark
    assert browser.run("player.classList.contains('dark')") == expected
    ground = browser.run("getComputedStyle(player).backgroundColor")
    assert ground == ("rgb(18, 18, 18)" if expected else "rgb(255, 255, 255)")


def test_in_a_notebook_the_player_takes_no_key_from_the_page(browser, tmp_path):
    browser.window(970)
    page = tmp_path / "notebook.html"
    one, other = play(neuron_loss()), play(net_loss())
    body = f"<p>text</p>{one.html()}{other.html()}{one.html()}"
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{body}</body>', encoding="utf-8")
    browser.open(page)
    browser.run(HELPERS)
    assert browser.run("document.querySelectorAll('.chalkgrad [type=range]').length") == 3
    browser.press("ArrowRight")
    assert browser.run("step()") == 0
    browser.run("player.querySelector('.stage').focus()")
    browser.press("ArrowRight")
    assert browser.run("[...document.querySelectorAll('.count')].map((one) => one.textContent[0])") == [
        "1",
        "0",
        "0",
    ]
    assert browser.errors == []


HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"`${document.title='owned'}\\",
    "<!--",
    "]]>",
    "$player $title",
    "\u2028",
    "\ud800",
    "\ue000\uf8ff",
    "Δ 漢字",
]


def test_no_label_and_no_title_becomes_markup_or_script(show):
    y = Value(1.0, label="x")
    for label in HOSTILE:
        y = tanh(y + Value(1.0, label=label))
        y.label = label + " sum"
    browser = show(y, "#end", title=" ".join(HOSTILE))
    browser.run("nodes.forEach((node) => node.dispatchEvent(new MouseEvent('click')))")
    assert browser.run("player.querySelectorAll('img, script').length") == 0
    assert browser.run("document.title").startswith("</script>")
    names = browser.run("nodes.map((node) => node.getAttribute('aria-label')).join()")
    for label in HOSTILE[:6]:
        assert label[:20] in names
