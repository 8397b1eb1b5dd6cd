r"""The equations of spiked random features in the notation of the paper.

What :mod:`detequiv.theory.models.spiked` implies, solved for the unknowns and written
with matrices (Dandi et al., arXiv:2410.18938). With the averages ``B`` and ``D`` and
the diagonal matrix ``V`` the gradient of Psi vanishes where

.. math::

   A^{-1} = V^{-1} + B, \qquad
   1/g_q = D_q + [B (I + V B)^{-1}]_{qq} = D_q + [V^{-1} - V^{-1} A V^{-1}]_{qq} .
"""

from detequiv.theory.paper import Formula, Section

__all__ = [
    "energy_section",
    "equations_section",
    "errors_section",
    "potential_section",
    "setting_section",
    "unknowns_section",
]

MOST_ENTRIES = 4  # rows of a matrix that are written out


def setting_section() -> Section:
    """Say what is modelled."""
    return Section(
        "Setting",
        [
            r"Inputs $x$ are standard Gaussian in $d$ dimensions. A layer of $p$ units "
            r"sees them through rows $f_j$. A fraction $\pi_q$ of the units belongs to "
            r"group $q$, whose rows have a bulk of their own ($w_j$ uniform on the "
            r"unit sphere) and share the spike $v$ of norm one:",
            Formula(
                r"f_j &= \rho_q w_j + u_q v, \qquad \phi_j(x) = \sigma(f_j \cdot x),"
                r" \qquad y = g(\langle w_\star, x\rangle) + \text{noise of variance }"
                r"\Delta, \qquad \zeta = \langle w_\star, v\rangle",
                "f_j = rho_q w_j + u_q v,  phi_j(x) = sigma(f_j . x),\n"
                "y = g(<w*, x>) + noise of variance Delta,  zeta = <w*, v>",
            ),
            "Ridge regression on $n$ samples; all sizes grow in proportion:",
            Formula(
                r"&\min_a \sum_{\mu=1}^n \bigl(y_\mu - a\cdot\phi(x_\mu)/\sqrt p"
                r"\bigr)^2 + \lambda |a|^2, \qquad \alpha = n/d, \quad \beta = p/d",
                "min_a sum_mu (y_mu - a . phi(x_mu) / sqrt(p))^2 + lambda |a|^2,\n"
                "alpha = n/d,  beta = p/d",
            ),
            r"The projection $\kappa$ of an input on the spike $v$ is a standard "
            r"Gaussian number, as are $g$ and $s$ below. Averages are over what is "
            r"named; over $\kappa$ where there is no choice.",
        ],
    )


def unknowns_section(groups: int) -> Section:
    """Name the unknowns, with their entries where these fit on a line."""
    entries = ", ".join(f"g_{{{q + 1}}}" for q in range(groups))
    plain = ", ".join(f"g_{q + 1}" for q in range(groups))
    shares = ", ".join(rf"\beta\pi_{{{q + 1}}} g_{{{q + 1}}}" for q in range(groups))
    rows = [
        [f"A_{min(i, j) + 1}{max(i, j) + 1}" for j in range(groups)]
        for i in range(groups)
    ]
    matrix, text = "A = A^\\top \\succ 0", "A, symmetric positive definite"
    if groups <= MOST_ENTRIES:
        inside = r" \\ ".join(
            " & ".join(f"A_{{{name[2:]}}}" for name in row) for row in rows
        )
        matrix = rf"A = \begin{{pmatrix}} {inside} \end{{pmatrix}} \succ 0"
        text = f"A = [{'; '.join(' '.join(row) for row in rows)}], positive definite"
    return Section(
        "Unknowns",
        [
            "Positive numbers, one a group, and a symmetric positive definite matrix:",
            Formula(
                rf"&g = ({entries}) > 0, \qquad {matrix}",
                f"g = ({plain}) > 0\n{text}",
            ),
            r"The number $g_q$ is the average diagonal entry in group $q$ of the "
            r"inverse of $\lambda$ plus the features' Gram matrix over $p$. Write",
            Formula(
                rf"V &= \diag({shares})"
                if groups <= MOST_ENTRIES
                else rf"V &= \diag(\beta\pi_1 g_1, \dots, \beta\pi_{{{groups}}} "
                rf"g_{{{groups}}})",
                "V = diag(beta pi_q g_q)",
            ),
        ],
    )


def potential_section(groups: int) -> Section:
    """State Psi."""
    return Section(
        "Potential",
        [
            r"The leverage of a sample whose projection is $\kappa$, and the potential "
            "whose stationary point is the solution:",
            Formula(
                rf"\chi(\kappa) &= \sum_{{q=1}}^{{{groups}}} \pi_q g_q\, "
                r"c_{\star,q}(\kappa) + \frac1\beta\, c_1(\kappa)^\top A\, c_1(\kappa)",
                "chi(kappa) = sum_q pi_q g_q cs_q(kappa) "
                "+ (1/beta) c1(kappa)^T A c1(kappa)",
            ),
            Formula(
                rf"\Psi(g, A) &= \sum_{{q=1}}^{{{groups}}} \pi_q (\lambda g_q - "
                r"\log g_q) + \frac1\beta \bigl[\log\det V - \log\det A + \tr V^{-1} A "
                rf"- {groups}\bigr]"
                "\\\\\n"
                r"&\quad + \frac\alpha\beta\, \E_\kappa \log(1 + \chi) + \varepsilon\, "
                r"\E_\kappa \chi",
                "Psi(g, A) = sum_q pi_q (lambda g_q - log g_q)\n"
                f"    + (1/beta) [log det V - log det A + tr(inv(V) A) - {groups}]\n"
                "    + (alpha/beta) E log(1 + chi) + epsilon E chi",
            ),
            r"The source $\varepsilon$ is zero in the model; it serves to "
            "differentiate.",
        ],
    )


def equations_section(groups: int) -> Section:
    """State the stationarity of Psi, solved for A and g."""
    return Section(
        "Equations",
        [
            "With the weight of a sample and two averages,",
            Formula(
                r"w(\kappa) &= \frac{\alpha/\beta}{1 + \chi(\kappa)} + \varepsilon, "
                r"\qquad B = \E_\kappa\bigl[w\, c_1 c_1^\top\bigr], \qquad "
                r"D_q = \lambda + \E_\kappa\bigl[w\, c_{\star,q}\bigr]",
                "w(kappa) = (alpha/beta) / (1 + chi(kappa)) + epsilon\n"
                "B   = E[w c1 c1^T]\n"
                "D_q = lambda + E[w cs_q]",
            ),
            "the gradient of the potential vanishes where",
            Formula(
                r"A^{-1} &= V^{-1} + B",
                "inv(A) = inv(V) + B",
            ),
            Formula(
                r"\frac1{g_q} &= D_q + \bigl[B (I + V B)^{-1}\bigr]_{qq}, "
                rf"\qquad q \in \{{1, \dots, {groups}\}}"
                if groups > 1
                else r"\frac1{g_1} &= D_1 + \frac{B}{1 + V B}",
                f"1/g_q  = D_q + [B inv(I + V B)]_qq,  q = 1..{groups}",
            ),
        ],
    )


def energy_section(latents: int, aligned: bool = False) -> Section:
    """State Energy and its minimiser; of an aligned target tau1 and r vanish."""
    if latents == 1:
        tangents, plain = r"t\cdot h", "t.h"
        penalty, plain_penalty = r"t^\top V^{-1} t", "t^T inv(V) t"
    else:
        sum_tex = rf"\sum_{{\ell=1}}^{{{latents}}} "
        tangents, plain = sum_tex + r"t_\ell\cdot h_\ell", "sum_l t_l.h_l"
        penalty = sum_tex + r"t_\ell^\top V^{-1} t_\ell"
        plain_penalty = "sum_l t_l^T inv(V) t_l"
    across, plain_across, r, price, plain_price = "", "", "", "", ""
    if not aligned:
        across = r" + (\tau_1 - r\cdot c_1)^2"
        plain_across, r = " + (tau1 - r.c1)^2", ", r"
        price, plain_price = r" + r^\top V^{-1} r", " + r^T inv(V) r"
    blocks = r", V^{-1}" * latents
    plain_blocks = ", inv(V)" * latents
    return Section(
        "Energy",
        [
            r"What the predictor learns of $\kappa$ is a combination of the mean "
            "features $c_0$ and of the tangent functions $h$. Squared residual and "
            "energy:",
            Formula(
                rf"S(\kappa) &= (\tau_0 - m\cdot c_0 - {tangents})^2{across} + \tau_2",
                f"S(kappa) = (tau0 - m.c0 - {plain})^2{plain_across} + tau2",
            ),
            Formula(
                rf"\mathcal{{E}} &= \min_{{m, t{r}}} \; \E_\kappa[w S] + {penalty}"
                + price,
                f"Energy = min over m, t{r} of E[w S] + {plain_penalty}{plain_price}",
            ),
            "The minimum is attained at",
            Formula(
                r"\begin{pmatrix} m \\ t \end{pmatrix} &= \bigl( \E_\kappa[w\, F "
                rf"F^\top] + \diag(0{blocks}) \bigr)^{{-1}} \E_\kappa[w\, \tau_0 F], "
                r"\qquad F = \begin{pmatrix} c_0 \\ h \end{pmatrix}",
                f"(m, t) = inv(E[w F F^T] + diag(0{plain_blocks})) E[w tau0 F],  "
                "F = (c0, h)",
            ),
            *[
                Formula(
                    r"r &= A\, \E_\kappa[w\, \tau_1 c_1]",
                    "r = A E[w tau1 c1]",
                )
            ][aligned:],
        ],
    )


def errors_section(groups: int, latents: int, aligned: bool = False) -> Section:
    """State what is reported, with the implicit differentiation written out."""
    own = "" if aligned else " + r_q^2"
    coefficients = "$m$, $t$" if aligned else "$m$, $t$, $r$"
    squares = "t_q^2" if latents == 1 else r"\textstyle\sum_\ell t_{\ell,q}^2"
    plain_squares = "t_q^2" if latents == 1 else "sum_l t_lq^2"
    return Section(
        "Errors",
        [
            r"Errors are total derivatives of the minimal energy at vanishing "
            r"$\varepsilon$:",
            *[
                Formula(
                    rf"\text{{{name}}} &= {latex}",
                    f"{name + ' ':.<30} {text}",
                )
                for name, latex, text in (
                    (
                        "generalization error",
                        r"\frac{d\mathcal{E}}{d\varepsilon}",
                        "dEnergy/depsilon",
                    ),
                    (
                        "excess error",
                        r"\frac{d\mathcal{E}}{d\varepsilon} - \Delta",
                        "dEnergy/depsilon - Delta",
                    ),
                    (
                        "training error",
                        r"\frac\beta\alpha \Bigl(\mathcal{E} - \lambda "
                        r"\frac{d\mathcal{E}}{d\lambda}\Bigr)",
                        "(beta/alpha) (Energy - lambda dEnergy/dlambda)",
                    ),
                    (
                        "readout norm",
                        r"\frac{|a|^2}p = \frac{d\mathcal{E}}{d\lambda}",
                        "|a|^2 / p = dEnergy/dlambda",
                    ),
                    ("ridge objective", r"\mathcal{E}", "Energy"),
                    (
                        "resolvent trace",
                        rf"\sum_{{q=1}}^{{{groups}}} \pi_q g_q",
                        "sum_q pi_q g_q",
                    ),
                )
            ],
            r"The unknowns move with the parameter $s$, which is $\varepsilon$ or "
            r"$\lambda$. A prime is $d/ds$, and $\delta$ is one where its indices "
            rf"agree. The coefficients {coefficients} need not move: the energy is "
            "stationary in them.",
            Formula(
                r"\frac{d\mathcal{E}}{ds} &= \E_\kappa[w' S] - "
                rf"\sum_{{q=1}}^{{{groups}}} \frac{{{squares}{own}}}{{V_q^2}} "
                r"V_q'",
                f"dEnergy/ds = E[w' S] - sum_q ({plain_squares}{own}) V_q' / V_q^2",
            ),
            Formula(
                r"w' &= \delta_{s\varepsilon} - \frac{\alpha}{\beta} "
                r"\frac{\chi'}{(1 + \chi)^2}, \qquad \chi' = "
                rf"\sum_{{q=1}}^{{{groups}}} \pi_q g_q' c_{{\star,q}} + \frac1\beta "
                r"c_1^\top A' c_1, \qquad V_q' = \beta\pi_q g_q'",
                "w'   = delta(s, epsilon) - (alpha/beta) chi' / (1 + chi)^2\n"
                "chi' = sum_q pi_q g_q' cs_q + (1/beta) c1^T A' c1\n"
                "V_q' = beta pi_q g_q'",
            ),
            "and the derivatives of the unknowns solve the linear equations",
            Formula(
                r"A^{-1} A' A^{-1} &= V^{-1} V' V^{-1} - \E_\kappa[w'\, c_1 "
                r"c_1^\top]",
                "inv(A) A' inv(A) = inv(V) V' inv(V) - E[w' c1 c1^T]",
            ),
            Formula(
                r"\frac{g_q'}{g_q^2} &= - \delta_{s\lambda} - \E_\kappa[w'\, "
                r"c_{\star,q}] + \frac{A_{qq}' + V_q'}{V_q^2} - \frac{2 A_{qq} "
                r"V_q'}{V_q^3}",
                "g_q' / g_q^2 = - delta(s, lambda) - E[w' cs_q]\n"
                "    + (A_qq' + V_q') / V_q^2 - 2 A_qq V_q' / V_q^3",
            ),
        ],
    )
