"""Networks as other projects publish them: their architecture, and the names of their weights.

Written from the publications and from lists of names and shapes, in plain torch, apart from bench.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from torchvision.models import resnet18


def randomized(network, seed=0):
    """Return a network in evaluation mode with random weights and statistics.

    Tables of positions, called `pe`, stay as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not name.endswith("pe"):
            drawn = torch.rand(value.shape, generator=generator)
            spread = max(value[0].numel() if value.dim() > 1 else 16, 1) ** -0.5
            value.copy_(drawn + 0.5 if "running_var" in name else (2 * drawn - 1) * 2 * spread)
            if name.endswith("weight") and value.dim() == 1:
                value.add_(1)
    return network.eval()


class LinearBiLSTM(nn.Module):
    """A BiLSTM and a linear layer called `name`."""

    def __init__(self, size, hidden, out, name, *, batch_first):
        super().__init__()
        self.rnn = nn.LSTM(size, hidden, bidirectional=True, batch_first=batch_first)
        self.add_module(name, nn.Linear(2 * hidden, out))
        self.last = name

    def forward(self, inputs):
        return getattr(self, self.last)(self.rnn(inputs)[0])


class Clovaai(nn.Module):
    """None-VGG-BiLSTM-CTC."""

    def __init__(self, width, hidden, classes):
        super().__init__()
        a, b, c, d = width, 2 * width, 4 * width, 8 * width
        self.FeatureExtraction = nn.Module()
        self.FeatureExtraction.ConvNet = nn.Sequential(
            *(nn.Conv2d(1, a, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(a, b, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(b, c, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(c, c, 3, 1, 1), nn.ReLU(), nn.MaxPool2d((2, 1), (2, 1))),
            *(nn.Conv2d(c, d, 3, 1, 1, bias=False), nn.BatchNorm2d(d), nn.ReLU()),
            *(nn.Conv2d(d, d, 3, 1, 1, bias=False), nn.BatchNorm2d(d), nn.ReLU()),
            nn.MaxPool2d((2, 1), (2, 1)),
            *(nn.Conv2d(d, d, 2, 1, 0), nn.ReLU()),
        )
        self.SequenceModeling = nn.Sequential(
            LinearBiLSTM(d, hidden, hidden, "linear", batch_first=True),
            LinearBiLSTM(hidden, hidden, hidden, "linear", batch_first=True),
        )
        self.Prediction = nn.Linear(hidden, classes)

    def forward(self, images):
        columns = self.FeatureExtraction.ConvNet(images).mean(2).transpose(1, 2)
        return self.Prediction(self.SequenceModeling(columns))


class NamedCRNN(nn.Module):
    """meijieru's CRNN, and PARSeq's: without bias below normalizations, and batches first."""

    def __init__(self, width, hidden, classes, *, parseq=False):
        super().__init__()
        sizes = [width * times for times in (1, 2, 4, 4, 8, 8, 8)]
        channels = 3 if parseq else 1
        self.cnn = nn.Sequential()
        for i, size in enumerate(sizes):
            normed = i in (2, 4, 6)
            kernel, padding = (2, 0) if i == 6 else (3, 1)
            bias = not (parseq and normed)
            self.cnn.add_module(
                f"conv{i}", nn.Conv2d(channels, size, kernel, 1, padding, bias=bias)
            )
            if normed:
                self.cnn.add_module(f"batchnorm{i}", nn.BatchNorm2d(size))
            self.cnn.add_module(f"relu{i}", nn.ReLU())
            if i in (0, 1):
                self.cnn.add_module(f"pooling{i}", nn.MaxPool2d(2, 2))
            if i in (3, 5):
                self.cnn.add_module(f"pooling{i // 2 + 1}", nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
            channels = size
        name = "linear" if parseq else "embedding"
        self.batch_first = parseq
        self.rnn = nn.Sequential(
            LinearBiLSTM(channels, hidden, hidden, name, batch_first=parseq),
            LinearBiLSTM(hidden, hidden, classes, name, batch_first=parseq),
        )

    def forward(self, images):
        columns = self.cnn(images).squeeze(2)
        if self.batch_first:
            return self.rnn(columns.permute(0, 2, 1))
        return self.rnn(columns.permute(2, 0, 1)).transpose(0, 1)


class PostCRNN(nn.Module):
    """The CRNN of the post: color, and one LSTM of two layers."""

    def __init__(self, width, hidden, classes):
        super().__init__()
        a, b, c, d = width, 2 * width, 4 * width, 8 * width
        low = ((2, 2), (2, 1), (0, 1))
        self.feat_extract = nn.Sequential(
            *(nn.Conv2d(3, a, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(a, b, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(b, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()),
            *(nn.Conv2d(c, c, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(*low)),
            *(nn.Conv2d(c, d, 3, 1, 1, bias=False), nn.BatchNorm2d(d), nn.ReLU()),
            *(nn.Conv2d(d, d, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(*low)),
            *(nn.Conv2d(d, d, 2, 1, 0, bias=False), nn.BatchNorm2d(d), nn.ReLU()),
        )
        self.neck = nn.Module()
        self.neck.encoder = nn.Module()
        self.neck.encoder.bilstm = nn.LSTM(d, hidden, bidirectional=True, num_layers=2)
        self.head = nn.Module()
        self.head.fc = nn.Linear(2 * hidden, classes)

    def forward(self, images):
        columns = self.feat_extract(images).squeeze(2).permute(2, 0, 1)
        return self.head.fc(self.neck.encoder.bilstm(columns)[0]).transpose(0, 1)


class NanoOCR(nn.Module):
    """The CRNN of the package nano-ocr: six convolutions, one BiLSTM."""

    def __init__(self, width, hidden, classes):
        super().__init__()
        a, b, c, d = width, 2 * width, 4 * width, 8 * width
        low = ((2, 2), (2, 1), (0, 1))
        self.cnn = nn.Sequential(
            *(nn.Conv2d(1, a, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)),
            *(nn.Conv2d(b, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU()),
            *(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.MaxPool2d(*low)),
            *(nn.Conv2d(c, d, 3, padding=1), nn.BatchNorm2d(d), nn.ReLU(), nn.MaxPool2d(*low)),
            *(nn.Conv2d(d, d, 2), nn.BatchNorm2d(d), nn.ReLU()),
        )
        self.rnn = nn.LSTM(d, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, images):
        return self.fc(self.rnn(self.cnn(images).squeeze(2).permute(0, 2, 1))[0])


class TimmBlock(nn.Module):
    """A pre-norm block in timm's names."""

    def __init__(self, size, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(size, eps=1e-6)
        self.attn = nn.Module()
        self.attn.qkv, self.attn.proj = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.norm2 = nn.LayerNorm(size, eps=1e-6)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.heads = heads

    def forward(self, tokens):
        count, length, size = tokens.shape
        split = self.attn.qkv(self.norm1(tokens)).view(count, length, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(-1)
        gathered = (weights @ value).transpose(1, 2).reshape(count, length, size)
        tokens = tokens + self.attn.proj(gathered)
        return tokens + self.mlp.fc2(functional.gelu(self.mlp.fc1(self.norm2(tokens))))


class TimmViTSTR(nn.Module):
    """ViTSTR: the tokens behind the class token are the symbols."""

    def __init__(self, heads, classes, patch, patches, channels, steps=26):
        super().__init__()
        size = 64 * heads
        self.cls_token = nn.Parameter(torch.empty(1, 1, size))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + patches, size))
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(channels, size, patch, patch)
        self.blocks = nn.Sequential(*(TimmBlock(size, heads) for _ in range(12)))
        self.norm = nn.LayerNorm(size, eps=1e-6)
        self.head = nn.Linear(size, classes)
        self.steps = steps

    def forward(self, images):
        patches = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], 1)
        encoded = self.norm(self.blocks(tokens + self.pos_embed))
        return self.head(encoded[:, : self.steps + 1])[:, 1:]


class ResidualBlock(nn.Module):
    """ABINet's: a 1×1 and a 3×3 convolution."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, images):
        maps = self.bn2(self.conv2(self.bn1(self.conv1(images)).relu()))
        return (maps + (images if self.downsample is None else self.downsample(images))).relu()


def sinusoids(count, size):
    """Return (count, size): sines in even places, cosines in odd ones."""
    places = torch.arange(count).float()[:, None]
    rates = 10000.0 ** (-torch.arange(0, size, 2).float() / size)
    table = torch.zeros(count, size)
    table[:, 0::2], table[:, 1::2] = (places * rates).sin(), (places * rates).cos()
    return table


class Positions(nn.Module):
    """A buffer `pe` (count, 1, size)."""

    def __init__(self, count, size):
        super().__init__()
        self.register_buffer("pe", sinusoids(count, size)[:, None])


class AbinetVision(nn.Module):
    """The vision model of ABINet for images of 32×128 pixels."""

    def __init__(self, width, classes):
        super().__init__()
        size = 16 * width
        resnet = nn.Module()
        resnet.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        resnet.bn1 = nn.BatchNorm2d(width)
        before = width
        for stage, (blocks, stride) in enumerate(((3, 2), (4, 1), (6, 2), (6, 1), (3, 1)), 1):
            after = width * 2 ** (stage - 1)
            rest = [ResidualBlock(after, after, 1) for _ in range(blocks - 1)]
            setattr(
                resnet, f"layer{stage}", nn.Sequential(ResidualBlock(before, after, stride), *rest)
            )
            before = after
        self.backbone = nn.Module()
        self.backbone.resnet = resnet
        self.backbone.pos_encoder = Positions(256, size)
        layer = nn.TransformerEncoderLayer(size, 8, 4 * size, 0.1)
        self.backbone.transformer = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.attention = nn.Module()
        narrow = 2 * width
        strides = ((1, 2), (2, 2), (2, 2), (2, 2))
        self.attention.k_encoder = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(size if not i else narrow, narrow, 3, each, 1),
                    nn.BatchNorm2d(narrow),
                    nn.ReLU(),
                )
                for i, each in enumerate(strides)
            )
        )
        self.attention.k_decoder = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Upsample(scale_factor=2) if i < 3 else nn.Upsample(size=(8, 32)),
                    nn.Conv2d(narrow, narrow if i < 3 else size, 3, 1, 1),
                    nn.BatchNorm2d(narrow if i < 3 else size),
                    nn.ReLU(),
                )
                for i in range(4)
            )
        )
        self.attention.pos_encoder = Positions(26, size)
        self.attention.project = nn.Linear(size, size)
        self.cls = nn.Linear(size, classes)

    def forward(self, images):
        resnet = self.backbone.resnet
        maps = resnet.bn1(resnet.conv1(images)).relu()
        for stage in range(1, 6):
            maps = getattr(resnet, f"layer{stage}")(maps)
        places = maps.flatten(2).permute(2, 0, 1) + self.backbone.pos_encoder.pe
        maps = self.backbone.transformer(places).permute(1, 2, 0).view(maps.shape)
        keys, passed = maps, []
        for layer in self.attention.k_encoder:
            keys = layer(keys)
            passed.append(keys)
        for i in range(3):
            keys = self.attention.k_decoder[i](keys) + passed[2 - i]
        keys = self.attention.k_decoder[3](keys)
        queries = self.attention.project(self.attention.pos_encoder.pe[:, 0])
        weights = (queries @ keys.flatten(2) / queries.shape[1] ** 0.5).softmax(-1)
        return self.cls(weights @ maps.flatten(2).transpose(1, 2))


class Vac(nn.Module):
    """VAC's network for one clip, its ends repeated as in its data loader."""

    def __init__(self, hidden, classes, *, normed=True):
        super().__init__()
        self.conv2d = resnet18(weights=None)
        self.conv2d.fc = nn.Identity()
        self.conv1d = nn.Module()
        self.conv1d.temporal_conv = nn.Sequential(
            *(nn.Conv1d(512, hidden, 5), nn.BatchNorm1d(hidden), nn.ReLU(), nn.MaxPool1d(2)),
            *(nn.Conv1d(hidden, hidden, 5), nn.BatchNorm1d(hidden), nn.ReLU(), nn.MaxPool1d(2)),
        )
        self.temporal_model = nn.Module()
        self.temporal_model.rnn = nn.LSTM(
            hidden, hidden // 2, num_layers=2, dropout=0.3, bidirectional=True
        )
        self.normed = normed
        if normed:
            self.classifier = nn.Module()
            self.classifier.weight = nn.Parameter(torch.empty(hidden, classes))
            self.conv1d.fc = self.classifier
        else:
            self.classifier = nn.Linear(hidden, classes)
            self.conv1d.fc = nn.Linear(hidden, classes)

    def forward(self, clip):
        right = -len(clip) % 4 + 6
        clip = torch.cat(
            [clip[:1].expand(6, -1, -1, -1), clip, clip[-1:].expand(right, -1, -1, -1)]
        )
        visual = self.conv1d.temporal_conv(self.conv2d(clip).T[None])
        features = self.temporal_model.rnn(visual.permute(2, 0, 1))[0][:, 0]
        if not self.normed:
            return self.classifier(features)
        return features @ functional.normalize(self.classifier.weight, dim=0)


class ThesisNorm(nn.Module):
    """(x - mean) / (std + 1e-5) over pixels."""

    def forward(self, maps):
        std, mean = torch.std_mean(maps, (-2, -1), keepdim=True)
        return (maps - mean) / (std + 1e-5)


class ThesisBackbone(nn.Module):
    """ConvNet6, with gates on top."""

    def __init__(self, gates=0, *, batch_norm=False):
        super().__init__()
        sizes = (1, 32, 64, 128, 128, 256, 256)
        kernels = ((5, 2), (5, 2), (3, 1), (3, 1), (3, 1), (1, 0))
        layers = []
        for i, (kernel, padding) in enumerate(kernels):
            norm = nn.BatchNorm2d(sizes[i + 1]) if batch_norm else ThesisNorm()
            layers += [nn.Conv2d(sizes[i], sizes[i + 1], kernel, 1, padding), norm, nn.ReLU()]
            layers.append(nn.MaxPool2d(2 if i < 2 else (2, 1)))
        self.fe = nn.Sequential(*layers, nn.Dropout(0.15))
        self.gates = (
            nn.Sequential(*(nn.Sequential(Gate()) for _ in range(gates))) if gates else None
        )

    def forward(self, images):
        maps = self.fe(images)
        return maps if self.gates is None else self.gates(maps)


class Gate(nn.Module):
    """A depthwise separable convolution, and tanh times sigmoid."""

    def __init__(self):
        super().__init__()
        self.dep_conv = nn.Conv2d(256, 256, (1, 9), groups=256)
        self.point_conv = nn.Conv2d(256, 512, 1)
        self.norm = ThesisNorm()

    def forward(self, maps):
        left, right = self.point_conv(self.dep_conv(maps)).chunk(2, 1)
        return self.norm(left.tanh()) * self.norm(right.sigmoid())


class ThesisBaseline(nn.Module):
    """The CTC baseline of the thesis, with one LSTM layer."""

    def __init__(self, classes):
        super().__init__()
        self.fe = ThesisBackbone(batch_norm=True)
        self.rnn = nn.LSTM(256, 256, bidirectional=True)
        self.conv = nn.Conv2d(512, classes, 1)

    def forward(self, images):
        encoded = self.rnn(self.fe(images).squeeze(2).permute(2, 0, 1))[0].permute(1, 2, 0)
        return self.conv(encoded.unsqueeze(2)).squeeze(2).transpose(1, 2)


class ThesisSeq2seq(nn.Module):
    """seq2seq (with an encoder) or seq2seq_light (with positions) of the thesis: greedy logits."""

    def __init__(self, steps, *, light, classes=81):
        super().__init__()
        self.fe = ThesisBackbone(gates=int(light))
        if light:
            self.pe = nn.Module()
            table = torch.zeros(256, 600)
            places = torch.arange(600).float()
            rates = 10000.0 ** (-torch.arange(0, 256, 2).float() / 256)
            table[0::2], table[1::2] = (
                (rates[:, None] * places).cos(),
                (rates[:, None] * places).sin(),
            )
            self.pe.register_buffer("pe", table[None])
        else:
            self.encoder = nn.Module()
            self.encoder.rnn = nn.LSTM(256, 128, bidirectional=True)
        self.decoder = nn.Module()
        self.decoder.emb = nn.Embedding(classes, 64)
        self.decoder.rnn = nn.LSTM(64 + 256, 256)
        convolution = nn.Conv2d if light else nn.Conv1d
        attention = self.decoder.attention = nn.Module()
        attention.encoder_conv = convolution(256, 256, 1)
        query = nn.Linear(256, 256)
        attention.decoder_linear = query if light else nn.Sequential(nn.Dropout(), query)
        attention.energy_layer = convolution(256, 1, 1)
        self.decoder.linear = nn.Linear(256, classes)
        self.light, self.steps = light, steps

    def forward(self, images):
        maps = self.fe(images)
        if self.light:
            maps = maps + self.pe.pe[:, :, None, : maps.shape[3]]
        else:
            maps = maps.squeeze(2)
            maps = self.encoder.rnn(maps.permute(2, 0, 1))[0].permute(1, 2, 0)
        attention, decoder = self.decoder.attention, self.decoder
        keys = attention.encoder_conv(maps).flatten(2)
        hidden = state = torch.zeros(1, len(images), 256)
        symbols = torch.zeros(len(images), dtype=torch.long)
        logits = []
        for _ in range(self.steps):
            query = attention.decoder_linear(hidden[-1]).unsqueeze(2)
            scores = (keys + query).tanh()
            if self.light:
                scores = scores.unsqueeze(2)
            shares = attention.energy_layer(scores).flatten(1).softmax(1)
            context = (maps.flatten(2) * shares.unsqueeze(1)).sum(2)
            read = torch.cat([decoder.emb(symbols), context], 1).unsqueeze(0)
            out, (hidden, state) = decoder.rnn(read, (hidden, state))
            logits.append(decoder.linear(out[0]))
            symbols = logits[-1].argmax(1)
        return torch.stack(logits, 1)
