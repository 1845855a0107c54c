"""What evaluation measures, for people and for studies that name a metric. No TensorFlow."""

from ablate.task import Metric

METRICS = (
    Metric(
        "auc_raw",
        "AuC raw",
        "%",
        True,
        "Share of pixels within a distance of their true ab, area under its curve.",
    ),
    Metric(
        "auc_rebalanced",
        "AuC rebalanced",
        "%",
        True,
        "AuC with every colour class of the truth weighing the same.",
    ),
    Metric("ab_rmse", "ab RMSE", "ab", False, "Root of the mean squared distance in the ab plane."),
    Metric("psnr", "PSNR", "dB", True, "Peak signal-to-noise ratio of the picture, in sRGB."),
    Metric("ssim", "SSIM", "", True, "Structural similarity of the picture, in sRGB, window 7."),
    Metric("ciede2000", "CIEDE2000", "", False, "Mean perceptual colour difference."),
    Metric(
        "colorfulness",
        "Colourfulness",
        "",
        None,
        "Hasler and Suesstrunk's measure of the picture, 0..255 scale.",
    ),
    Metric("colorfulness_ratio", "Colourfulness / truth's", "", None, "1 is as colourful as the photographs."),
)
