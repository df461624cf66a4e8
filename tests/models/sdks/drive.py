"""Makes calls with the official SDKs of Python and prints what they made of them.

Each line of standard input is a call as JSON: `sdk`, `base`, `key`, `op`, `params`, and optionally `headers`,
`bearer` and `leave_after`. For each a line is printed: `result`, `events`, `headers` and `error` as JSON.
"""

import json
import sys


def plain(value):
    if not hasattr(value, "model_dump_json"):
        return value
    return json.loads(value.model_dump_json(exclude_unset=True, warnings=False))


def failure(error):
    response = getattr(error, "response", None)
    return {
        "kind": type(error).__name__,
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": getattr(error, "status_code", None),
        "message": str(error),
        "body": getattr(error, "body", None),
        "code": getattr(error, "code", None),
        "request_id": getattr(error, "request_id", None),
        "headers": dict(response.headers) if response is not None else {},
    }


def calls(client):
    """The calls by name: the function that makes it, and whether it streams."""
    if hasattr(client, "messages"):
        return {
            "messages": client.messages,
            "count_tokens": client.messages.count_tokens,
            "models": client.models.list,
            "model": client.models.retrieve,
        }
    return {
        "chat": client.chat.completions,
        "responses": client.responses,
        "input_tokens": getattr(getattr(client.responses, "input_tokens", None), "count", None),
        "models": client.models.list,
        "model": client.models.retrieve,
    }


def collect(stream, job, out):
    for number, event in enumerate(stream, 1):
        out["events"].append(plain(event))
        if number == job.get("leave_after"):
            stream.close()
            return True
    return False


def run(client, job, out):
    name, _, how = job["op"].partition(".")
    call = calls(client)[name]
    params = job["params"]
    if how == "events":
        # The events as they come, one by one.
        raw = call.with_raw_response.create(**params, stream=True)
        out["headers"] = dict(raw.headers)
        collect(raw.parse(), job, out)
    elif how == "stream":
        # The SDK's own accumulation of a stream.
        with call.stream(**params) as stream:
            if collect(stream, job, out):
                return
            final = next(
                getattr(stream, name)
                for name in ("get_final_message", "get_final_completion", "get_final_response")
                if hasattr(stream, name)
            )
            out["result"] = plain(final())
    elif hasattr(call, "create"):
        raw = call.with_raw_response.create(**params)
        out["headers"] = dict(raw.headers)
        out["result"] = plain(raw.parse())
    elif name == "models":
        out["result"] = [plain(model) for model in call(**params)]
    else:
        out["result"] = plain(call(**params))


def connected(job):
    options = {"max_retries": 0, "timeout": 30.0, "default_headers": job.get("headers") or {}}
    if job["sdk"] == "anthropic":
        import anthropic as sdk

        key = {"auth_token": job["key"]} if job.get("bearer") else {"api_key": job["key"]}
        return sdk.Anthropic(base_url=job["base"], **key, **options)
    import openai as sdk

    return sdk.OpenAI(base_url=job["base"] + "/v1", api_key=job["key"], **options)


def main():
    for line in sys.stdin:
        job = json.loads(line)
        out = {"result": None, "events": [], "headers": {}, "error": None}
        with connected(job) as client:
            try:
                run(client, job, out)
            except Exception as error:  # what the SDK raises is the result
                out["error"] = failure(error)
        print(json.dumps(out), flush=True)


main()
