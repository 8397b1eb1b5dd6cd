"""Problems of losses other than the square, for tests."""

from typing import Any

import detequiv as de

__all__ = ["LABELS", "problem", "unbalanced"]

LABELS: dict[str, dict[str, Any]] = {
    "regression": {"noise": "1/2", "function": "z + (z**2 - 1)/2"},
    "sign": {"labels": "sign", "noise": "1/2"},
    "logit": {"labels": "logit", "slope": 2, "alignment": "7/10"},
}


def problem(
    loss: str,
    target: dict[str, Any],
    *,
    activation: str = "tanh",
    spike: Any = ("3/2", "-4/5"),
    weights: Any = None,
    ridge: tuple[Any, Any, Any] = (2, "3/2", "1/20"),
) -> de.Problem:
    samples, width, penalty = ridge
    return de.Problem(
        features=de.SpikedFeatures(activation=activation, spike=spike, weights=weights),
        target=de.Target(**{"function": "z"} | target),
        ridge=de.Ridge(
            samples_per_dim=samples,
            width_per_dim=width,
            penalty=penalty,
            loss=loss,
            delta="1/2" if loss == "huber" else None,
        ),
    )


def unbalanced(penalty: Any) -> de.Problem:
    target = {"function": "z + 3/10", "labels": "sign", "alignment": "7/10"}
    return problem(
        "logistic",
        target,
        activation="relu",
        spike=(1, -1),
        weights=("3/5", "2/5"),
        ridge=(3, 1, penalty),
    )
