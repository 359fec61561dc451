"""mAP over thresholds of temporal IoU, linearized so that each sample has its own counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.evaluation.metrics.metric import Counts, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.evaluation.metrics.localization import LocatedReading
    from bench.evaluation.metrics.readings import Readings
    from bench.evaluation.protocols import Protocol

SCALE = 10**9
"""The denominator of each sample. The numerators are the jackknife's pseudo-values in units of
1 / SCALE, rounded to integers."""


class MeanAveragePrecision(Metric):
    """The mean of average precision over classes and over temporal IoUs 0.3, 0.4, …, 0.7.

    The mAP θ is a value of the whole corpus. The numerator of sample i is θ + (pᵢ − mean p), where
    pᵢ = N θ − (N − 1) θ₍ᵢ₎ is the pseudo-value of the sample and θ₍ᵢ₎ the mAP of all others. So the
    mean of the numerators is θ, and their variance is that of θ over samples, to first order.
    Numerators may be negative. `bench docs localization` has the formulas.

    Source: the jackknife (Quenouille, 1956; Tukey, 1958).
    """

    name = "map"
    title = "mAP"
    higher_is_better = True
    max_value = 1.0
    whole_corpus = True

    def defined_for(self, protocol: Protocol) -> bool:
        """Return whether each unit is one label; bytes are parts of one."""
        return protocol.unit != "byte"

    def counts(self, readings: Readings) -> Counts | None:
        """Return the linearized counts.

        None if no sample has key frames, a label read has no run on its path, or a key frame is
        not a frame of the path.
        """
        import numpy as np

        from bench.evaluation.metrics.localization import located_readings

        samples = [] if readings.frames is None else located_readings(readings.frames)
        values = mean_average_precision(samples)
        if values is None:
            return None
        value, others = values
        pseudo = len(samples) * value - (len(samples) - 1) * others
        # cumsum adds in a fixed order, so that all machines compute the same bits.
        mean = float(np.cumsum(pseudo)[-1]) / len(samples)
        numerators = np.rint(SCALE * (value + (pseudo - mean))).astype(np.int64)
        return Counts(numerators, np.full_like(numerators, SCALE))


def mean_average_precision(
    samples: list[LocatedReading],
) -> tuple[float, NDArray[np.float64]] | None:
    """Return the mAP of N samples, and the mAP without each of them (N,), both in 0…1.

    If the others of a sample have no true label, its value is the mAP of all samples. The result
    is None if the samples have no mAP, see `MeanAveragePrecision.counts`.
    """
    from statistics import fmean

    import numpy as np

    from bench.evaluation.metrics.detection import rank_detections
    from bench.evaluation.metrics.localization import THRESHOLDS, class_segments

    try:
        segments_by_class = class_segments(samples)
    except ValueError:
        return None
    classes = [each for _, each in sorted(segments_by_class.items()) if each.references]
    if not classes:
        return None
    total, count = np.zeros(len(samples)), np.zeros(len(samples))
    areas = []
    for segments in classes:
        ranked = rank_detections(segments.references, segments.detections, THRESHOLDS)
        areas.append(fmean(ranked.average_precision()))
        others = np.full(len(samples), areas[-1])
        for sample, without in ranked.leave_one_out().items():
            others[sample] = fmean(without.tolist())
        defined = ~np.isnan(others)
        total += np.where(defined, others, 0)
        count += defined
    value = fmean(areas)
    return value, np.where(count > 0, total / np.maximum(count, 1), value)
