"""LiteLLM: it keeps nothing; what its models answer, and to whom, is the same after everything that happens to it."""

from tests.live.catalog.case import Case
from tests.live.engine.images import LITELLM

CANNED = '{model_name: canned, litellm_params: {model: openai/canned, api_key: none, mock_response: "a $5 answer"}}'

ASK = """
import json, mlox, openai
client = mlox.get("litellm").client()
told = [{"role": "user", "content": "Well?"}]
with client.chat.completions.create(model="canned", messages=told, stream=True) as stream:
    answer = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
assert answer == "a $5 answer", answer
names = [model.id for model in client.models.list()]
try:
    openai.OpenAI(base_url=client.base_url, api_key="sk-wrong").models.list()
except openai.APIStatusError as error:
    refused = error.status_code
"""
READ = f"""{ASK}
print(answer, "canned" in names, any(name.startswith("anthropic/") for name in names), refused)
"""

CASE = Case(
    ASK,
    READ,
    ("openai==2.54.0",),
    {"litellm": LITELLM},
    options=(f"models={CANNED}",),
    heavy={"docker": "its image is built"},
)
