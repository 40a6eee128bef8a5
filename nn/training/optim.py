"""Optimizers: they read the gradient of each parameter and write its number; they do not depend on models.

A step computes every new number before it writes the first one, so that a gradient that is not finite stops
it while every parameter is still unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import hypot, isfinite, sqrt
from typing import TYPE_CHECKING, Generic, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar, cast

from engine import Value, brief, one_line
from nn.validation import all_finite, check_range, expected, number, pair

if TYPE_CHECKING:
    from numpy import ndarray

__all__ = ["Adam", "Optimizer", "SGD", "clip_gradients"]

S = TypeVar("S")  # what a rule keeps of each parameter from one step to the next
D = TypeVar("D")
M = TypeVar("M")

Rate: TypeAlias = float | Callable[[int], float]
#: From a parameter's number, its gradient and its state (None at first): the new number, and the new state.
#: The rules of SGD and Adam also take arrays, with one entry for each parameter, in place of the numbers.
Rule: TypeAlias = Callable[[float, float, S | None], tuple[float, S | None]]


class OptimizerLike(Protocol):
    """The attributes of an optimizer that `nn.fit` uses."""

    parameters: list[Value]

    def zero_grad(self) -> None:
        """Set every gradient to 0."""

    def step(self) -> None:
        """Move every parameter once."""


class Moved(NamedTuple, Generic[D, M]):
    """A step that was computed, and that no parameter has made yet."""

    data: D  #: the new number of each parameter
    memory: M  #: the new state of each
    rate: float | None  #: the learning rate
    steps: int  #: the number of steps made, with this one


class Optimizer(Generic[S]):
    """Base class for optimizers: the parameters, the learning rate, and a step that is whole or not made.

    A subclass defines `_rule`, which computes the new number of a parameter.
    """

    _uses = ""  # what the rule computes from a gradient, for the message of a step that is refused

    def __init__(self, parameters: Iterable[Value], lr: Rate, weight_decay: float) -> None:
        if not hasattr(parameters, "__iter__"):
            expected("parameters is a list of Values, such as model.parameters()", parameters)
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("expected at least one parameter to train, not an empty list")
        for p in self.parameters:
            if not (hasattr(p, "data") and hasattr(p, "grad")):
                expected("a parameter is a Value", p)
            if getattr(p, "parents", ()):
                raise ValueError(f"a parameter is a leaf; this Value was computed from others: {brief(p)}")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError("a parameter is in the list twice; it would move twice as far as the others")
        self.steps = 0  #: the number of steps that have been made
        self.last_lr: float | None = None  #: the learning rate of the last step
        self.weight_decay = check_range("weight_decay", weight_decay, 0.0)
        self._memory: Iterable[S | None] = [None] * len(self.parameters)  # a state for each
        self.lr = lr

    @property
    def lr(self) -> float:
        """The learning rate of the next step; assign a number, or a function of the steps so far."""
        return check_range("lr", self._lr(self.steps), 0.0) if callable(self._lr) else self._lr

    @lr.setter
    def lr(self, rate: Rate) -> None:
        self._lr: Rate = rate if callable(rate) else check_range("lr", rate, 0.0)

    def zero_grad(self) -> None:
        """Set every gradient to 0, as ``backward`` adds to the gradients of leaves."""
        for p in self.parameters:
            p.grad = 0.0

    def step(self) -> None:
        """Move every parameter once, against its gradient.

        Raises:
            FloatingPointError: a gradient or the number that it leads to is not finite; the message names the
                parameter, and none has moved.
        """
        data, gradients = [p.data for p in self.parameters], [p.grad for p in self.parameters]
        moved = self.moved(data, gradients, self._memory)
        for p, new in zip(self.parameters, moved.data):
            p.data = new
        self.keep(moved)

    def moved(
        self, data: Sequence[float], gradients: Sequence[float], memory: Iterable[S | None]
    ) -> Moved[Sequence[float], Iterable[S | None]]:
        """Return the step from these numbers with these gradients; nothing changes.

        Raises:
            FloatingPointError: see `step`.
        """
        rate, decay = self.lr, self.weight_decay
        rule = self._rule(rate)
        states = zip(data, gradients, memory)
        numbers, memory = zip(*[rule(x, gradient + decay * x, state) for x, gradient, state in states])
        if not all_finite(numbers):
            self._refuse(data, gradients, numbers, rate)
        return Moved(numbers, memory, rate, self.steps + 1)

    def moved_arrays(self, data: ndarray, gradients: ndarray, memory: object) -> Moved[ndarray, object]:
        """Return the same as `moved`, for arrays with one entry for each parameter; see `has_array_rule`.

        Args:
            memory: None at first, then that of the last step.
        """
        rate, decay = self.lr, self.weight_decay
        rule = cast("Callable[[ndarray, ndarray, object], tuple[ndarray, object]]", self._rule(rate))
        numbers, memory = rule(data, gradients + decay * data if decay else gradients, memory)
        if not all_finite(numbers):
            self._refuse(data.tolist(), gradients.tolist(), numbers.tolist(), rate)
        return Moved(numbers, memory, rate, self.steps + 1)

    @property
    def has_array_rule(self) -> bool:
        """Whether `moved_arrays` does what `step` does: a subclass may define another step or rule."""
        cls = type(self)
        own = "step" in vars(self) or "zero_grad" in vars(self)
        return not own and (
            (cls.step, cls.zero_grad, cls.moved, cls.lr)
            == (Optimizer.step, Optimizer.zero_grad, Optimizer.moved, Optimizer.lr)
            and cls._rule in (SGD._rule, Adam._rule)
            and all(type(p) is Value for p in self.parameters)
        )

    def write(self, moved: Moved[ndarray, object]) -> None:
        """Write the numbers of a step by `moved_arrays` into the Values, without its state."""
        for p, new in zip(self.parameters, moved.data.tolist()):
            p._data = new

    @property
    def memory(self) -> Sequence[S | None]:
        """The state of each parameter: None before the first step."""
        return [*self._memory]

    def keep(self, moved: Moved[Sequence[float], Iterable[S | None]]) -> None:
        """Keep the state and the rate of a step, and count it, after the parameters have moved."""
        self._memory, self.last_lr, self.steps = moved.memory, moved.rate, moved.steps

    def _refuse(
        self, data: Sequence[float], gradients: Sequence[float], numbers: Sequence[float], rate: float
    ) -> NoReturn:
        """Raise the error that names the first parameter that the step would make infinite or NaN."""
        k = [*map(isfinite, numbers)].index(False)
        name = one_line(self.parameters[k].label) or f"number {k}"
        raise FloatingPointError(
            f"the step would take parameter {name} from {data[k]} to {numbers[k]}: "
            f"its gradient is {gradients[k]}{self._uses}, the learning rate {rate}. No parameter was moved"
        )

    def _rule(self, rate: float) -> Rule[S]:
        """Return the rule of the next step."""
        raise NotImplementedError(f"{type(self).__name__} does not say where a step goes: define _rule")


def write(parameters: Iterable[Value], data: Iterable[float], gradients: Iterable[float]) -> None:
    """Write the gradients of parameters, and the numbers of those that an optimizer on arrays may move."""
    for p, new, gradient in zip(parameters, data, gradients):
        if type(p) is Value:
            p._data, p._grad = new, gradient
        else:
            p.grad = gradient


def root(x: float) -> float:
    """Return the square root of a float, or of each entry of an array."""
    return sqrt(x) if isinstance(x, float) else x**0.5


def clip_gradients(parameters: Iterable[Value], max_norm: float) -> float:
    """Scale the gradients down, if their norm is above ``max_norm``, to that norm; keep their direction.

    Args:
        parameters: the Values whose gradients count, such as ``model.parameters()``.
        max_norm: the largest norm √(Σ grad²) of all gradients together.

    Returns:
        The norm before, as in PyTorch.

    Raises:
        TypeError: a parameter is not a Value, or max_norm is not a number.
        ValueError: max_norm is not above 0.
        FloatingPointError: a gradient is not finite; the message names it, and no gradient has changed.

    >>> v, w = Value(1.0), Value(2.0)
    >>> (3 * v + 4 * w).backward()
    >>> clip_gradients([v, w], max_norm=1.0)
    5.0
    >>> round(v.grad, 9), round(w.grad, 9)
    (0.6, 0.8)

    An optimizer for `nn.fit` that clips before each step:

    >>> class ClippedSGD(SGD):
    ...     def step(self):
    ...         clip_gradients(self.parameters, max_norm=1.0)
    ...         super().step()
    """
    if not hasattr(parameters, "__iter__"):
        expected("parameters is a list of Values, such as model.parameters()", parameters)
    listed = list(parameters)
    most = number("max_norm", max_norm)
    if not most > 0:
        raise ValueError(f"max_norm is a number above 0, not {brief(max_norm)}")
    for k, p in enumerate(listed):
        if not (hasattr(p, "data") and hasattr(p, "grad")):
            expected("a parameter is a Value", p)
        if not isfinite(p.grad):
            name = one_line(p.label) or f"number {k}"
            raise FloatingPointError(
                f"the gradient of parameter {name} is {p.grad}; expected finite gradients. None was changed"
            )
    largest = max((abs(p.grad) for p in listed), default=0.0)
    norm = hypot(*(p.grad for p in listed))
    if norm > most:
        relative = hypot(*(p.grad / largest for p in listed))  # finite where the norm is not
        for p in listed:
            p.grad = p.grad / largest * (most / relative)
    return norm


class SGD(Optimizer[float]):
    """Gradient descent: w ← w - η g, as in PyTorch.

        g = ∂E/∂w + weight_decay · w
        v ← momentum · v + g            with momentum, v is used instead of g; it starts as g
        g + momentum · v                with nesterov, this is used

    Args:
        parameters: the Values to move.
        lr: η, a number, or a schedule: a function of the number of steps made so far.
        momentum: the part of the last step to keep, 0 <= momentum < 1.
        nesterov: evaluate the step ahead, along the momentum.
        weight_decay: λ, which draws each parameter towards 0, as ½·λ·Σw² in the loss does. So micrograd's
            regularization alpha = 1e-4, which is alpha·Σp², is weight_decay=2e-4 here.

    Raises:
        TypeError: a parameter is not a Value, or another argument is not a number.
        ValueError: there are no parameters, one is listed twice or was computed, or a number is outside its
            range.

    >>> from engine import Value
    >>> w = Value(5.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    4.0

    A learning rate that falls in a straight line to 0 over 100 steps, and one that halves every 30 steps:

    >>> optimizer = SGD([w], lr=lambda step: 0.1 * (1 - step / 100))
    >>> optimizer = SGD([w], lr=lambda step: 0.1 * 0.5 ** (step // 30))
    >>> optimizer.lr
    0.1
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum, self.nesterov = check_range("momentum", momentum, 0.0, 1.0), nesterov
        if nesterov and not momentum:
            raise ValueError("nesterov steps ahead along the momentum: it needs momentum > 0")

    def _rule(self, rate: float) -> Rule[float]:
        momentum, nesterov = self.momentum, self.nesterov

        def moved(data: float, gradient: float, velocity: float | None) -> tuple[float, float | None]:
            if not momentum:
                return data - rate * gradient, None
            velocity = gradient if velocity is None else momentum * velocity + gradient
            ahead = gradient + momentum * velocity if nesterov else velocity
            return data - rate * ahead, velocity

        return moved


class Adam(Optimizer[tuple[float, float]]):
    """Steps of about η, whatever the size of the gradients (Kingma and Ba, 2015), as in PyTorch.

        m ← β₁ m + (1 - β₁) g           the mean of the gradients g = ∂E/∂w + weight_decay · w
        v ← β₂ v + (1 - β₂) g²          and of their squares; both start at 0
        w ← w - η m̂ / (√v̂ + ε)          where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t = 1, 2, ...

    Args:
        betas: β₁ and β₂, each 0 <= β < 1.
        eps: ε > 0.

    The other arguments, and the errors, are those of `SGD`. A gradient whose square is too large for a float
    is refused by the step, as one that is not finite is: v would stay infinite, and the parameter would never
    move again.

    >>> from engine import Value
    >>> w = Value(5.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (1000 * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    4.9
    """

    _uses = ", the mean of whose squares must be finite"

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        beta1, beta2 = pair("betas is a pair of numbers (β₁, β₂)", betas)
        self.betas = check_range("betas[0]", beta1, 0.0, 1.0), check_range("betas[1]", beta2, 0.0, 1.0)
        self.eps = check_range("eps", eps, 5e-324)

    def _rule(self, rate: float) -> Rule[tuple[float, float]]:
        (beta1, beta2), eps, t = self.betas, self.eps, self.steps + 1
        new1, new2 = 1 - beta1, 1 - beta2
        all1, all2 = 1 - beta1**t, 1 - beta2**t  # the sums of the weights of all gradients so far

        def moved(
            data: float, gradient: float, means: tuple[float, float] | None
        ) -> tuple[float, tuple[float, float]]:
            m, v = means or (0.0, 0.0)
            m = beta1 * m + new1 * gradient
            v = beta2 * v + new2 * gradient * gradient
            m_hat, v_hat = m / all1, v / all2
            # 0 · ∞ is NaN: where v̂ is infinite, the step is refused; else the parameter would never move
            return data - rate * m_hat / (root(v_hat) + eps) - 0.0 * v_hat, (m, v)

        return moved
