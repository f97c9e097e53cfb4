"""How passwords leave a compose file: into secrets, so that what is written holds their names alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping

from mlox.compose.environments import environment_of
from mlox.compose.loading import Raw
from mlox.compose.parts import Part, Project, identifier
from mlox.secret import Secret, is_secret
from mlox.variables import literal

_LOGIN = re.compile(r"://[^/\s:@]*:([^/\s]+)@")
_NAMED = re.compile(r"(?:password|passwd|pwd)\s*=\s*[\"']?(?![\w.]*[(\[])([^\s\"'&;,$/.][^\s\"'&;,]*)", re.IGNORECASE)
"""What a connection's text gives as its password: of ADO, JDBC, JAAS. A call of a program's source is none."""

_FLAG = re.compile(
    r"-{1,2}[\w-]*(?:requirepass|password|passwd|passphrase|token|secret|api-?key)(?:=(.+))?", re.IGNORECASE
)
_READ = "a password here is read by everybody who sees the container"
_MADE = "MLOX_"
"""How variables begin that were made for a command."""

SHORTEST = 6
"""What is shorter stands in a longer text by chance."""

_STRONG = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{8,}|.{12,}", re.DOTALL)
"""What is looked for in all variables: what stands there by chance is none."""


def hide_secrets(project: Project) -> None:
    """Give every unit its environment, passwords as variables of the catalog; their values go to ``part.secrets``."""
    found = {part.name: environment_of(project, part) for part in project.parts.values()}
    strong = {
        value
        for values, tainted in found.values()
        for name, text in values.items()
        for value in _passwords(project, name, text, tainted)
        if _STRONG.fullmatch(value)
    }
    for part in project.parts.values():
        values, tainted = found[part.name]
        known = {secret.reveal(): key for key, secret in part.secrets.items()}
        whole = [name for name, text in values.items() if is_secret(name, text)]
        for name in whole:
            _keep(part, known, values[name], identifier(name.removeprefix(_MADE), part.secrets))
        texts = {name: f"${{secret.{known[values[name]]}}}" for name in whole}
        for name, text in values.items():
            if name not in texts:
                inside = [*_passwords(project, name, text, tainted), *(one for one in strong if one in text)]
                texts[name] = _replaced(part, known, name, text, inside)
            if "${secret." in texts[name]:
                project.forms.findings.warn(
                    f"{part.path}.environment.{name}",
                    "a password stood in the file",
                    f"now the secret {part.name}.{_keys(texts[name])[0]}, and {name}: {texts[name]}",
                )
        if texts:
            part.unit["environment"] = dict(sorted(texts.items()))
        _hide_elsewhere(project, part, values, strong)


def _passwords(project: Project, name: str, text: str, tainted: Collection[str]) -> list[str]:
    """The passwords in a variable: all of it, those of addresses and connections, what a secret variable gave."""
    if is_secret(name, text):
        return [text]
    logins = [match[1] for match in _logins(text)]
    values = {value for values in project.document.tainted.values() for value in values} if name in tainted else set()
    told = (value for value in values if value == text or (len(value) >= SHORTEST and value in text))
    given = {value for value in told if not any(value in login for login in logins)}
    return [*logins, *sorted(given, key=len, reverse=True)]


def _logins(text: str) -> list[re.Match[str]]:
    """Where the passwords of addresses and connections stand in a text: the first group of each match."""
    found = [match for pattern in (_LOGIN, _NAMED) for match in pattern.finditer(text)]
    return [match for match in found if not match[1].startswith("$") and is_secret("password", match[1])]


def _keys(text: str) -> list[str]:
    return re.findall(r"\$\{secret\.(\w+)\}", text)


def _keep(part: Part, known: dict[str, str], value: str, key: str) -> str:
    """The key of a value among the service's secrets."""
    if value not in known:
        known[value] = key
        part.secrets[key] = Secret(value)
    return known[value]


def _replaced(part: Part, known: dict[str, str], name: str, text: str, inside: Collection[str]) -> str:
    """A text with the passwords ``inside`` as variables; a login's is looked for where it stands alone."""
    logins = [match for match in _logins(text) if match[1] in inside]
    spans: list[tuple[int, int]] = []

    def add(first: int, last: int) -> None:
        if all(last <= start or first >= end for start, end in spans):
            spans.append((first, last))

    for value in sorted(set(inside) - {match[1] for match in logins}, key=len, reverse=True):
        for match in re.finditer(re.escape(value), text):
            add(*match.span())
    for match in logins:
        add(*match.span(1))
    parts, position = [], 0
    for first, last in sorted(spans):
        key = _keep(part, known, text[first:last], identifier(f"{name}_password", part.secrets))
        parts += [literal(text[position:first]), f"${{secret.{key}}}"]
        position = last
    return "".join([*parts, literal(text[position:])])


def _hide_elsewhere(project: Project, part: Part, values: Mapping[str, str], strong: Collection[str]) -> None:
    """Passwords outside of variables: in commands they become variables of a shell; elsewhere they cannot be.

    ``strong`` are the passwords in variables that are looked for everywhere.
    """
    findings = project.forms.findings
    for path, secrets in sorted(project.document.tainted.items()):
        if not path.startswith(f"{part.path}."):
            continue
        key = path.removeprefix(f"{part.path}.").partition(".")[0]
        if key == "healthcheck":
            _hide_in_check(part, part.unit.get("healthcheck", {}), secrets, values)
        elif key in ("command", "entrypoint"):
            _hide_in_command(project, part, secrets, values)
        elif key not in ("environment", "env_file"):
            findings.unsupported(path, _READ)
            part.unit.pop(key, None)
    for key in ("command", "entrypoint"):
        words = [word.replace("$$", "$") for word in part.unit.get(key) or ()]
        if shown := _shown(part, words, strong):
            _hide_in_command(project, part, shown, values)
    check: Raw = part.unit.get("healthcheck", {})
    if shown := _shown(part, check.get("test", ["NONE"])[1:], strong):
        _hide_in_check(part, check, shown, values)
    labels: Raw = part.unit.get("labels", {})
    for name in [name for name, text in labels.items() if any(one in text for one in strong)]:
        findings.unsupported(f"{part.path}.labels.{name}", _READ)
        del labels[name]
    args: Raw = part.unit.get("build", {}).get("args", {})
    for name in [name for name, value in args.items() if is_secret(name, value) or any(one in value for one in strong)]:
        findings.unsupported(f"{part.path}.build.args.{name}", "a password given to a build stays in the image")
        del args[name]


def _shown(part: Part, words: list[str], strong: Collection[str]) -> set[str]:
    """Passwords in a command: of options, in addresses, and those that are known otherwise."""
    line = " ".join(words)
    known = {*strong, *(text for secret in part.secrets.values() if _STRONG.fullmatch(text := secret.reveal()))}
    logins = {match[1] for match in _logins(line) if line.count(match[1]) == 1}
    try:
        split = [each for word in words for each in shlex.split(word)] if len(words) == 1 else words
    except ValueError:
        split = line.split()
    return {one for one in _in_flags(split) | logins | known if one in line}


def _in_flags(words: list[str]) -> set[str]:
    """Passwords that are written as values of options."""
    found = set()
    for index, word in enumerate(words):
        match = _FLAG.fullmatch(word)
        value = match[1] or (words[index + 1] if index + 1 < len(words) else "") if match else ""
        if value and not value.startswith(("-", "$", "/", "%")) and is_secret("password", value):
            found.add(value)
    return found


def _variable(part: Part, value: str, values: Mapping[str, str]) -> str:
    """A variable of the container that has exactly this value; where there is none, one is made."""
    own = [name for name, text in values.items() if text == value and is_secret(name, text)]
    if own:
        return own[0]
    known = {secret.reveal(): key for key, secret in part.secrets.items()}
    key = _keep(part, known, value, identifier("argument_password", part.secrets))
    name = f"{_MADE}{key.upper()}"
    part.unit.setdefault("environment", {})[name] = f"${{secret.{key}}}"
    return name


def _shell_line(part: Part, words: list[str], secrets: Collection[str], values: Mapping[str, str]) -> str:
    """A line of a shell that runs ``words``, the values in them as variables."""
    names = {value: _variable(part, value, values) for value in sorted(secrets, key=len, reverse=True)}
    pattern = re.compile("|".join(map(re.escape, names)))
    line = []
    for word in words:
        if not pattern.search(word):
            line.append(shlex.quote(word))
            continue
        pieces = pattern.split(word)
        found = pattern.findall(word)
        quoted = [re.sub(r'([\\"$`])', r"\\\1", piece) for piece in pieces]
        text = "".join(piece + (f"${{{names[found[i]]}}}" if i < len(found) else "") for i, piece in enumerate(quoted))
        line.append(f'"{text}"')
    return " ".join(line)


def _in_shell(part: Part, line: str, secrets: Collection[str], values: Mapping[str, str]) -> str:
    """A line that is for a shell already, the values in it as variables, also where single quotes hold them."""
    for value in sorted(secrets, key=len, reverse=True):
        name = _variable(part, value, values)
        pieces = line.split(value)
        text = pieces[0]
        for piece in pieces[1:]:
            single = text.count("'") % 2 == 1
            text += (f"'\"${{{name}}}\"'" if single else f"${{{name}}}") + piece
        line = text
    return line


def _hide_in_check(part: Part, check: Raw, secrets: Collection[str], values: Mapping[str, str]) -> None:
    test = check.get("test") or ["NONE"]
    if test[0] == "CMD-SHELL":
        check["test"] = ["CMD-SHELL", _in_shell(part, test[1], secrets, values)]
    elif test[0] == "CMD":
        check["test"] = ["CMD-SHELL", _shell_line(part, test[1:], secrets, values)]


def _hide_in_command(project: Project, part: Part, secrets: Collection[str], values: Mapping[str, str]) -> None:
    """Let a shell fill in the password: the command holds the variable's name alone."""
    unit, findings = part.unit, project.forms.findings
    plain = {key: [word.replace("$$", "$") for word in unit.get(key) or ()] for key in ("entrypoint", "command")}
    path = f"{part.path}.{'entrypoint' if part.raw.get('entrypoint') else 'command'}"
    words = [*plain["entrypoint"], *plain["command"]]
    if not any(secret in word for secret in secrets for word in words):
        return
    if len(words) == 3 and words[0].rpartition("/")[2] in ("sh", "bash", "ash") and words[1] in ("-c", "-ec", "-lc"):
        wrapped = [words[0], words[1], _in_shell(part, words[2], secrets, values)]
    elif words[0].startswith("-"):
        raise findings.wrong(
            path,
            "a password stands in an option of the image's own command",
            "Write the program before it, as in redis-server --requirepass ..., or let it read a variable.",
        )
    else:
        wrapped = ["/bin/sh", "-c", f"exec {_shell_line(part, words, secrets, values)}"]
    where = "entrypoint" if plain["entrypoint"] else "command"
    unit.pop("command", None)
    unit[where] = [literal(word) for word in wrapped]
    entered = "" if plain["entrypoint"] else "; if the image's own entrypoint runs no shell, write an entrypoint, too"
    findings.warn(path, "a password stood in the command", f"now a shell fills it in from a variable{entered}")
