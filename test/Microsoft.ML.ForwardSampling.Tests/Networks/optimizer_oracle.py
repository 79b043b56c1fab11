#!/usr/bin/python3
"""Writes optimizer_oracle.json: weights after 10 steps of torch.optim on a fixed problem. Needs python3-torch (made with 1.13.1)."""
import json
import os

import torch

START = [0.5, -1.25, 2.0, 0.0, 1e-3]
CASES = {
    "Sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "SgdMomentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "SgdNesterovDecay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.02),
    "AdamDecay": lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1),
}


def run(make):
    weights = torch.tensor(START, requires_grad=True)
    optimizer = make([weights])
    for step in range(10):
        # Gradient of sum(w^2 / 2 + w sin(step)): w + sin(step), the same formula as in the test.
        weights.grad = weights.detach() + torch.sin(torch.tensor(float(step)))
        optimizer.step()
    return weights.tolist()


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizer_oracle.json")
with open(path, "w") as file:
    json.dump({"torch": torch.__version__, "start": START, "weights": {name: run(make) for name, make in CASES.items()}}, file, indent=2)
    file.write("\n")
