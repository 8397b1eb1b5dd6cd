r"""What people are told about each quantity: its definition and normalisation.

`DEFINITIONS` are for plain text; `QUANTITY_LABELS` and `PARAMETER_LABELS` for the axes
of figures, in the notation of matplotlib's mathtext.
"""

__all__ = ["DEFINITIONS", "PARAMETER_LABELS", "QUANTITY_LABELS", "TITLES"]

TITLES = {
    "generalization_error": "generalisation error",
    "training_error": "training error",
    "excess_error": "excess error",
    "readout_norm": "readout norm",
    "ridge_objective": "ridge objective",
    "resolvent_trace": "resolvent trace",
    "classification_error": "classification error",
    "training_classification_error": "classification error on the samples",
    "test_loss": "test loss",
    "training_loss": "training loss",
}
DEFINITIONS = {
    "generalization_error": "E (y - f)^2 on fresh data, label noise included",
    "training_error": "(1/n) sum (y - f)^2 over the samples",
    "excess_error": "E (y - f)^2 less the noise variance",
    "readout_norm": "|a|^2 / p",
    "ridge_objective": "min [sum (y - f)^2 + lambda |a|^2] / p",
    "resolvent_trace": "(1/p) tr (Phi^T Phi / p + lambda)^-1",
    "classification_error": "P(y f < 0) on fresh data, f = 0 counted one half",
    "training_classification_error": "fraction of the samples with y f < 0",
    "test_loss": "E loss(y, f) on fresh data",
    "training_loss": "(1/n) sum loss(y, f) over the samples",
}
QUANTITY_LABELS = {
    "generalization_error": r"$\mathrm{E}\,(y-f)^2$",
    "training_error": r"$\frac{1}{n}\sum_\mu (y_\mu-f_\mu)^2$",
    "excess_error": r"$\mathrm{E}\,(y-f)^2-\Delta$",
    "readout_norm": r"$|a|^2/p$",
    "ridge_objective": r"$\frac{1}{p}\min\,[\sum_\mu (y_\mu-f_\mu)^2+\lambda|a|^2]$",
    "resolvent_trace": r"$\frac{1}{p}\,\mathrm{tr}\,(\Phi^\top\Phi/p+\lambda)^{-1}$",
    "classification_error": r"$\mathrm{P}(yf<0)$",
    "training_classification_error": r"$\frac{1}{n}\,\#\{\mu: y_\mu f_\mu<0\}$",
    "test_loss": r"$\mathrm{E}\,\ell(y,f)$",
    "training_loss": r"$\frac{1}{n}\sum_\mu \ell(y_\mu,f_\mu)$",
}
PARAMETER_LABELS = {
    "ridge.samples_per_dim": r"samples per input dimension, $n/d$",
    "ridge.width_per_dim": r"units per input dimension, $p/d$",
    "ridge.penalty": r"ridge penalty $\lambda$, beside the sum over samples",
    "target.alignment": r"alignment $\zeta=\langle w_\star, v\rangle$",
    "target.noise": r"label noise, standard deviation $\sqrt{\Delta}$",
    "features.spike": r"spike strength $u$",
    "features.bulk": r"bulk scale $\rho$",
    "network.step": r"step size $\eta$",
    "network.readout": r"vocabulary value $A$",
}
