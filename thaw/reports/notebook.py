"""A run as a notebook shows it."""

import base64
import html
import io

import plots


def run_html(run) -> str:
    """Returns the verdict and the curves of a `thaw.Run`, as HTML."""
    parts = [f"<p>{html.escape(run.verdict)}</p>"]
    for metric in ("accuracy", "loss"):
        file = io.BytesIO()
        plots.save_figure(run.plot_history(metric).figure, file, 100)
        content = base64.b64encode(file.getvalue()).decode()
        parts.append(
            f'<img alt="{metric}" src="data:image/png;base64,{content}">'
        )
    return "".join(parts)
