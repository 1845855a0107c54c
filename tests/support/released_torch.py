"""The released network in PyTorch: the layout of `eccv16` in richzhang/colorization. Needs PyTorch."""

import torch
from torch import nn


class Released(nn.Module):
    """Blocks model1 to model8 and model_out, named and numbered as released."""

    def __init__(self) -> None:
        super().__init__()
        self.model1 = _block(1, 64, 2, stride=2)
        self.model2 = _block(64, 128, 2, stride=2)
        self.model3 = _block(128, 256, 3, stride=2)
        self.model4 = _block(256, 512, 3)
        self.model5 = _block(512, 512, 3, dilation=2)
        self.model6 = _block(512, 512, 3, dilation=2)
        self.model7 = _block(512, 512, 3)
        up = nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1)
        rest = [part for _ in range(2) for part in (nn.Conv2d(256, 256, 3, padding=1), nn.ReLU())]
        self.model8 = nn.Sequential(up, nn.ReLU(), *rest, nn.Conv2d(256, 313, 1))
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)

    @torch.no_grad()
    def logits(self, L: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, 313, side / 4, side / 4) of L (n, 1, side, side) in 0..100."""
        x = (L - 50) / 100
        for number in range(1, 9):
            x = getattr(self, f"model{number}")(x)
        return x

    @torch.no_grad()
    def ab(self, L: torch.Tensor) -> torch.Tensor:
        """Return ab (n, 2, side / 4, side / 4) as the released code decodes it."""
        return self.model_out(torch.softmax(self.logits(L), 1)) * 110


def released_network() -> Released:
    """Return the network, with PyTorch's initial values."""
    return Released()


def _block(inputs: int, outputs: int, number: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    parts: list[nn.Module] = []
    for place in range(number):
        step = stride if place == number - 1 else 1
        parts += [nn.Conv2d(inputs, outputs, 3, step, dilation, dilation), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*parts, nn.BatchNorm2d(outputs))
