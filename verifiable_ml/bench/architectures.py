# SPDX-License-Identifier: MIT OR Apache-2.0
"""Architectures that people have, with seeded weights: no download, and what they answer depends on what they are given.

Random weights say nothing about accuracy. They do say whether integers answer as floats do, if the network is alive: norms get
their statistics from the samples, and samples are smooth images, series and texts, not white noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SAMPLES, HELD_OUT = 30, 40
CLASSES = 10


@dataclass(frozen=True)
class Architecture:
    """How to make a network, one batch of n inputs for it, and of how many inputs."""

    name: str
    make: Callable[[], nn.Module]
    inputs: Callable[[int], Tensor]
    samples: int = SAMPLES

    def build(self) -> tuple[nn.Module, list[np.ndarray]]:
        """The network in eval mode with living norms, and its inputs, one a sample, the held-out ones last."""
        torch.manual_seed(0)
        network, batch = self.make(), self.inputs(self.samples + HELD_OUT)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None  # the plain mean over what it is shown
        with torch.no_grad():
            network.train()(batch[: self.samples])
        return network.eval(), [row[None].numpy() for row in batch]


def images(size: int, channels: int = 3, seed: int = 0) -> Callable[[int], Tensor]:
    """Smooth images [n, channels, size, size]: a few blobs of colour, standardised."""

    def draw(count: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.randn(count, channels, 5, 5, generator=generator) + torch.randn(count, channels, 1, 1, generator=generator)
        fine = functional.interpolate(torch.randn(count, channels, 16, 16, generator=generator), size, mode="bicubic")
        return functional.interpolate(coarse, size, mode="bicubic") + 0.2 * fine

    return draw


def series(steps: int, channels: int) -> Callable[[int], Tensor]:
    """Time series [n, steps, channels]: random walks that return to their mean."""

    def draw(count: int) -> Tensor:
        generator, values = torch.Generator().manual_seed(1), [torch.zeros(count, channels)]
        for _ in range(steps):
            values.append(0.9 * values[-1] + 0.44 * torch.randn(count, channels, generator=generator))
        return torch.stack(values[1:], dim=1)

    return draw


def tokens(length: int, vocabulary: int) -> Callable[[int], Tensor]:
    """Texts [n, length]: each token depends on the one before it."""

    def draw(count: int) -> Tensor:
        generator = torch.Generator().manual_seed(2)
        follow = torch.softmax(2 * torch.randn(vocabulary, vocabulary, generator=generator), dim=1)
        text = [torch.randint(0, vocabulary, (count,), generator=generator)]
        for _ in range(length - 1):
            text.append(torch.multinomial(follow[text[-1]], 1, generator=generator)[:, 0])
        return torch.stack(text, dim=1)

    return draw


def block(inputs: int, outputs: int, kernel: int = 3, act: type[nn.Module] | None = nn.ReLU, **options: Any) -> nn.Sequential:
    """Convolution, batch norm, activation."""
    layers = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([act()] if act else []))


def vgg_16(dense: tuple[int, ...] = (512,)) -> nn.Module:
    """Simonyan and Zisserman 2015, with batch norms, at 32 x 32. dense: widths before the last layer."""
    layers: list[nn.Module] = []
    channels = 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        layers += [block(channels, width)] if width else [nn.MaxPool2d(2)]
        channels = width or channels
    layers += [nn.Flatten()]
    for width in dense:
        layers += [nn.Linear(channels, width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Linear(channels, CLASSES))


class Residual(nn.Module):
    """What `body` makes of x, plus x, or plus a projection of x."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        self.body, self.shortcut, self.after = body, shortcut or nn.Identity(), after or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] or [n, t, d]."""
        found: Tensor = self.after(self.body(x) + self.shortcut(x))
        return found


def resnet_18() -> nn.Module:
    """He and others 2016, at 32 x 32."""
    layers, channels = [block(3, 64)], 64
    for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        body = nn.Sequential(block(channels, width, stride=stride), block(width, width, act=None))
        shortcut = None if (channels, 1) == (width, stride) else block(channels, width, 1, None, stride=stride)
        layers.append(Residual(body, shortcut, nn.ReLU()))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, CLASSES))


class UNet(nn.Module):
    """Ronneberger and others 2015: [n, 3, 32, 32] to a class a pixel, [n, 4, 32, 32]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        self.down = nn.ModuleList(nn.Sequential(block(a, b), block(b, b)) for a, b in zip([3, *widths], widths, strict=False))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Sequential(block(2 * a, a), block(a, a)) for a in widths[:-1])
        self.last = nn.Conv2d(width, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        kept = []
        for place, level in enumerate(self.down):
            x = level(functional.max_pool2d(x, 2) if place else x)
            kept.append(x)
        for place in (1, 0):
            x = self.up[place](torch.cat([self.grow[place](x), kept[place]], dim=1))
        found: Tensor = self.last(x)
        return found


class Squeeze(nn.Module):
    """Hu and others 2018, as in MobileNetV3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 4, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w]."""
        return x * self.gate(x)


def inverted(inputs: int, outputs: int, expand: int, stride: int, act: type[nn.Module], squeeze: bool, kernel: int) -> nn.Module:
    """Sandler and others 2018: wide, depthwise, narrow."""
    wide = inputs * expand
    layers = [block(inputs, wide, 1, act)] if expand > 1 else []
    layers.append(block(wide, wide, kernel, act, stride=stride, groups=wide))
    body = nn.Sequential(*layers, *([Squeeze(wide)] if squeeze else []), block(wide, outputs, 1, None))
    return Residual(body) if (inputs, stride) == (outputs, 1) else body


def mobilenet(act: type[nn.Module], squeeze: bool, kernel: int) -> nn.Module:
    """The table of MobileNetV2, at 224 x 224; with hard swish and squeezes as V3 has them."""
    layers: list[nn.Module] = [block(3, 32, 3, act, stride=2)]
    channels = 32
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, width, count, stride in table:
        for number in range(count):
            step = stride if number == 0 else 1
            layers.append(inverted(channels, width, expand, step, act, squeeze and width in (32, 96, 160), kernel))
            channels = width
    return nn.Sequential(*layers, block(channels, 1280, 1, act), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


class Tagger(nn.Module):
    """A recurrent layer in both directions over [n, 60, 16], then a tag a step."""

    def __init__(self, kind: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.recurrent = kind(16, 48, num_layers=1, bidirectional=True, batch_first=True)
        self.tag = nn.Linear(96, 8)

    def forward(self, x: Tensor) -> Tensor:
        """[n, 60, 8]."""
        found: Tensor = self.tag(self.recurrent(x)[0])
        return found


class Attention(nn.Module):
    """Vaswani and others 2017, on [n, t, d]."""

    def __init__(self, width: int, heads: int, causal: int = 0) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        if causal:
            self.register_buffer("later", torch.ones(causal, causal).triu(1) > 0)

    def forward(self, x: Tensor) -> Tensor:
        """[n, t, d]."""
        n, t, d = x.shape
        q, k, v = (part.reshape(n, t, self.heads, -1).transpose(1, 2) for part in self.project(x).split(d, dim=2))
        scores = q @ k.transpose(2, 3) / (d // self.heads) ** 0.5
        weights = torch.softmax(scores.masked_fill(self.later, float("-inf")) if self.causal else scores, dim=-1)
        found: Tensor = self.out((weights @ v).transpose(1, 2).reshape(n, t, d))
        return found


def transformer(width: int, heads: int, depth: int, causal: int = 0) -> nn.Sequential:
    """Blocks with the norms in front."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        layers += [Residual(nn.Sequential(nn.LayerNorm(width), Attention(width, heads, causal))), Residual(mlp)]
    return nn.Sequential(*layers, nn.LayerNorm(width))


class VisionTransformer(nn.Module):
    """Dosovitskiy and others 2021, tiny: [n, 3, 32, 32] in patches of 4."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.place = nn.Parameter(0.5 * torch.randn(1, 64, width))
        self.body, self.head = transformer(width, 3, 4), nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """[n, 10]."""
        found: Tensor = self.head(self.body(self.patch(x).flatten(2).transpose(1, 2) + self.place).mean(dim=1))
        return found


class NanoGpt(nn.Module):
    """Karpathy's nanoGPT, small: [n, 48] tokens to [n, 48, 64] logits."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.word, self.place = nn.Embedding(64, width), nn.Parameter(0.5 * torch.randn(1, 48, width))
        self.body, self.head = transformer(width, 4, 3, causal=48), nn.Linear(width, 64, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        found: Tensor = self.head(self.body(self.word(x) + self.place))
        return found


def autoencoder() -> nn.Module:
    """[n, 1, 16, 16] through 16 numbers and back."""
    widths = (256, 128, 64, 16, 64, 128, 256)
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


class Yolo(nn.Module):
    """A detector's backbone and head: [n, 3, 64, 64] to boxes [n, 3 * 8 * 8, 4 + 1 + 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(block(a, b, 3, nn.SiLU, stride=2) for a, b in ((3, 16), (16, 32), (32, 64))),
            *(Residual(nn.Sequential(block(64, 32, 1, nn.SiLU), block(32, 64, 3, nn.SiLU))) for _ in range(2)),
        )
        self.head = nn.Conv2d(64, 45, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Centres and sizes relative to the cell, then the probabilities."""
        raw = self.head(self.body(x)).reshape(-1, 3, 15, 64).permute(0, 1, 3, 2).reshape(-1, 192, 15)
        centre, size, rest = raw.split([2, 2, 11], dim=2)
        return torch.cat([2 * torch.sigmoid(centre) - 0.5, (2 * torch.sigmoid(size)) ** 2, torch.sigmoid(rest)], dim=2)


ARCHITECTURES = (
    Architecture("VGG-16, 32 x 32", vgg_16, images(32)),
    Architecture("ResNet-18, 32 x 32", resnet_18, images(32)),
    Architecture("U-Net, 32 x 32", UNet, images(32)),
    Architecture("MobileNetV2, 224 x 224", lambda: mobilenet(nn.ReLU6, False, 3), images(224)),
    Architecture("MobileNetV3-like, 224 x 224", lambda: mobilenet(nn.Hardswish, True, 5), images(224)),
    Architecture("LSTM tagger, 60 steps", lambda: Tagger(nn.LSTM), series(60, 16)),
    Architecture("GRU tagger, 60 steps", lambda: Tagger(nn.GRU), series(60, 16)),
    Architecture("ViT-tiny, 32 x 32", VisionTransformer, images(32)),
    Architecture("nanoGPT, 48 tokens", NanoGpt, tokens(48, 64)),
    Architecture("autoencoder, 16 x 16", autoencoder, images(16, 1), 64),
    Architecture("YOLO-style, 64 x 64", Yolo, images(64)),
)
