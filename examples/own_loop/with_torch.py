"""The same in PyTorch: model, optimiser and generator are saved together."""

import io

from with_sklearn import Digits as WithSklearn
from with_sklearn import digits, measured, save

from ablate import FunctionTask

try:
    import torch
except ImportError:
    raise ImportError("library=torch needs PyTorch: pip install torch") from None

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


class Digits(FunctionTask):
    example, measures, fingerprint = WithSklearn.example, WithSklearn.measures, WithSklearn.fingerprint

    def train(self, config, seed, run):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        (x, y), (x_eval, y_eval) = ((torch.tensor(x, dtype=torch.float32), torch.tensor(y)) for x, y in digits())
        model = torch.nn.Sequential(
            torch.nn.Linear(64, config.network.width), torch.nn.ReLU(), torch.nn.Linear(config.network.width, 10)
        )
        optimizer = OPTIMIZERS[config.optimizer.name](
            model.parameters(), config.optimizer.learning_rate, weight_decay=config.network.weight_decay
        )
        epoch, checkpoint = 0, run.folder / "model.pt"
        if checkpoint.exists():  # an interrupted run resumes
            saved = torch.load(checkpoint)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            torch.set_rng_state(saved["generator"])
            epoch = saved["epoch"]
        while epoch < config.training.epochs:
            losses = []
            for batch in torch.randperm(len(x)).split(config.training.batch_size):
                loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            epoch += 1
            with torch.no_grad():
                probabilities = model(x_eval).softmax(1)
            accuracy = (probabilities.argmax(1) == y_eval).float().mean().item()
            run.log_metrics({"train/loss": sum(losses) / len(losses), "val/accuracy": accuracy}, step=epoch)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            content = io.BytesIO()
            torch.save({**state, "generator": torch.get_rng_state(), "epoch": epoch}, content)
            save(checkpoint, content.getvalue())
            run.report_progress(epoch, config.training.epochs)
            if run.should_stop():
                return None
        with torch.no_grad():
            probabilities = model(x_eval).softmax(1)
        return measured(y_eval.numpy(), probabilities.numpy())
