"""The Gradio app around the page: one HTML component, our style sheets and scripts, our routes.

Gradio gives the server, the theme's base, `--share`, `gradio_client` and MCP; the
conversation itself is `page.html` and the modules in `app/static`.
"""

from pathlib import Path

import gradio as gr

from app.page.endpoints import Endpoints
from app.page.host import Host
from app.page.routes import STATIC, Routes

PAGE = Path(__file__).parent / "page.html"
TITLE = "Attune"

FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
"""The system's own: the default theme would ask Google for its fonts."""

START = "import(new URL('attune/static/main.js', document.baseURI)).then((page) => page.start(element));"
"""Run by Gradio when the HTML is in place; relative to the page's base, so that a root path works."""

KEPT_S = 3600
"""How long files of the named endpoints stay on disk. The page itself leaves none."""


def build(host: Host) -> gr.Blocks:
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(KEPT_S, KEPT_S)
    ) as page:
        gr.HTML(PAGE.read_text(encoding="utf-8"), elem_id="attune", js_on_load=START, apply_default_css=False)
        Endpoints(host).add()
    return page


def launch(
    page: gr.Blocks, routes: Routes, *, port: int, root_path: str, share: bool, open_browser: bool, mcp: bool
) -> str:
    """Serve in the background; returns the address. Raises `OSError` when the port is taken."""
    _, local, public = page.launch(
        server_port=port,
        root_path=root_path.rstrip("/") or None,
        share=share,
        inbrowser=open_browser,
        mcp_server=mcp,
        app_kwargs=routes.for_app(),
        prevent_thread_lock=True,
        # The server of SSR forwards no sockets, which the live conversation needs.
        ssr_mode=False,
        quiet=True,
        footer_links=["api"],
        theme=gr.themes.Base(font=FONTS, font_mono=("ui-monospace", "monospace")),
        css_paths=sorted(STATIC.glob("*.css")),
        head=_preload(),
    )
    return public or local


def _preload() -> str:
    """All scripts at once, instead of one after another as their imports are found."""
    modules = sorted(
        path.relative_to(STATIC).as_posix()
        for path in STATIC.rglob("*.js")
        if not path.name.endswith(".worklet.js")
    )
    return "\n".join(f'<link rel="modulepreload" href="./attune/static/{module}">' for module in modules)
