"""Optimisers: they read each parameter's gradient and write its number, and know nothing of models.

A step works out every new number first and writes only then, so that a gradient that is no number stops it
while every parameter is still what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite, sqrt
from typing import Any

__all__ = ["Adam", "Optimizer", "SGD"]

Rate = float | Callable[[int], float]
#: Of a parameter's number, its gradient, and what it remembers: the new number, and what to remember.
Rule = Callable[[float, float, Any], tuple[float, Any]]


class Optimizer:
    """What the optimisers share: the parameters, the learning rate, and how a step is made safe.

    A subclass says in `_rule` where a step takes a parameter.
    """

    def __init__(self, parameters: Iterable[Any], lr: Rate, weight_decay: float) -> None:
        if not hasattr(parameters, "__iter__"):
            what = f"{type(parameters).__name__}: {parameters!r:.60}"
            raise TypeError(f"parameters is a list of Values, such as model.parameters(), not {what}")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("expected at least one parameter to learn, not an empty list")
        for p in self.parameters:
            if not (hasattr(p, "data") and hasattr(p, "grad")):
                raise TypeError(f"a parameter is a Value, not {type(p).__name__}: {p!r:.60}")
            if getattr(p, "parents", ()):
                raise ValueError(f"a parameter is a leaf; this Value was computed from others: {p!r:.60}")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError("a parameter is in the list twice; it would move twice as far as the others")
        self.steps = 0  #: how many steps have been made
        self.weight_decay = _between("weight_decay", weight_decay, 0.0)
        self._memory: Sequence[Any] = [None] * len(self.parameters)  # what a rule remembers of each parameter
        self.lr = lr

    @property
    def lr(self) -> float:
        """The learning rate of the next step; assign a number, or a function of the steps made so far."""
        return _between("lr", self._lr(self.steps) if callable(self._lr) else self._lr, 0.0)

    @lr.setter
    def lr(self, rate: Rate) -> None:
        self._lr = rate if callable(rate) else _between("lr", rate, 0.0)

    def zero_grad(self) -> None:
        """Set every gradient to 0, as ``backward`` adds to what is there."""
        for p in self.parameters:
            p.grad = 0.0

    def step(self) -> None:
        """Move every parameter once, against its gradient.

        Raises:
            FloatingPointError: a gradient, or where it would lead, is not finite; the message names the
                parameter, and none has moved.
        """
        rate, decay = self.lr, self.weight_decay
        rule = self._rule(rate)
        moves = [rule(p.data, p.grad + decay * p.data, it) for p, it in zip(self.parameters, self._memory)]
        numbers, memory = zip(*moves)
        if not all(map(isfinite, numbers)):
            self._refuse(numbers, rate)
        for p, number in zip(self.parameters, numbers):
            p.data = number
        self._memory = memory
        self.steps += 1

    def _refuse(self, numbers: Sequence[float], rate: float) -> None:
        """Name the first parameter that a step would take to what is no number."""
        k = [*map(isfinite, numbers)].index(False)
        p = self.parameters[k]
        name = (p.label if p.label.isprintable() else repr(p.label)) or f"number {k}"
        raise FloatingPointError(
            f"the step would take parameter {name} from {p.data} to {numbers[k]}: "
            f"its gradient is {p.grad}, the learning rate {rate}. No parameter was moved"
        )

    def _rule(self, rate: float) -> Rule:
        """The rule of the next step."""
        raise NotImplementedError(f"{type(self).__name__} must say where a step goes: define _rule")


class SGD(Optimizer):
    """Gradient descent: w ← w - η g, as in PyTorch.

        g = ∂E/∂w + weight_decay · w
        v ← momentum · v + g            with momentum, v takes the place of g; it begins as g
        g + momentum · v                with nesterov, this does

    Args:
        parameters: the Values to move.
        lr: η, a number, or a function of the number of steps made so far.
        momentum: the part of the last step to keep, 0 <= momentum < 1.
        nesterov: look ahead along the momentum.
        weight_decay: the pull of each parameter towards 0; that of ½ weight_decay · Σ w² in the loss.

    Raises:
        TypeError: a parameter is not a Value, or a number not a number.
        ValueError: there are no parameters, one is listed twice or was computed, or a number is outside its
            range.

    >>> from engine import Value
    >>> w = Value(5.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    4.0
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: Rate,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum, self.nesterov = _between("momentum", momentum, 0.0, 1.0), nesterov
        if nesterov and not momentum:
            raise ValueError("nesterov looks ahead along the momentum: it needs momentum > 0")

    def _rule(self, rate: float) -> Rule:
        momentum, nesterov = self.momentum, self.nesterov

        def moved(data: float, gradient: float, velocity: Any) -> tuple[float, Any]:
            if not momentum:
                return data - rate * gradient, None
            velocity = gradient if velocity is None else momentum * velocity + gradient
            ahead = gradient + momentum * velocity if nesterov else velocity
            return data - rate * ahead, velocity

        return moved


class Adam(Optimizer):
    """Steps of about η, whatever the size of the gradients (Kingma and Ba, 2015), as in PyTorch.

        m ← β₁ m + (1 - β₁) g           the mean of the gradients g = ∂E/∂w + weight_decay · w
        v ← β₂ v + (1 - β₂) g²          and of their squares, both begun at 0
        w ← w - η m̂ / (√v̂ + ε)          where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t = 1, 2, ...

    Args:
        betas: β₁ and β₂, each 0 <= β < 1.
        eps: ε > 0.

    The other arguments, and the errors, are those of `SGD`.

    >>> from engine import Value
    >>> w = Value(5.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (1000 * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    4.9
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"betas is a pair of numbers (β₁, β₂), not {betas!r:.60}")
        beta1, beta2 = betas
        self.betas = _between("betas[0]", beta1, 0.0, 1.0), _between("betas[1]", beta2, 0.0, 1.0)
        self.eps = _between("eps", eps, 5e-324)

    def _rule(self, rate: float) -> Rule:
        (beta1, beta2), eps, t = self.betas, self.eps, self.steps + 1
        new1, new2 = 1 - beta1, 1 - beta2
        all1, all2 = 1 - beta1**t, 1 - beta2**t  # what the weights of all gradients so far add up to

        def moved(data: float, gradient: float, memory: Any) -> tuple[float, Any]:
            m, v = memory or (0.0, 0.0)
            m = beta1 * m + new1 * gradient
            v = beta2 * v + new2 * gradient * gradient
            m_hat, v_hat = m / all1, v / all2
            return data - rate * m_hat / (sqrt(v_hat) + eps), (m, v)

        return moved


def _between(name: str, x: Any, low: float, below: float = float("inf")) -> float:
    """``x`` as a float, if low <= x < below."""
    if not hasattr(x, "__float__") or hasattr(x, "__len__"):
        raise TypeError(f"{name} is a number, not {type(x).__name__}: {x!r:.60}")
    try:
        number = float(x)
    except OverflowError:
        number = float("inf")
    if not low <= number < below:  # a NaN is not
        above = "finite" if below == float("inf") else f"below {below:g}"
        at_least = "above 0" if low else "at least 0"
        raise ValueError(f"{name} is {at_least} and {above}, not {x!r:.60}")
    return number
