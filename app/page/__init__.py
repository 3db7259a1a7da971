"""The page: a Gradio app whose conversation is plain HTML and ES modules (`app/static`).

`command` starts it, `routes` serves the conversation, `endpoints` the same functions
for `gradio_client` and MCP. The sound travels over our own routes, because
`gr.Audio` streaming plays about 1250 ms after the server has it.
"""
