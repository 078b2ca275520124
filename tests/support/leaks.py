"""What can be found in an error: its texts, its attributes, the errors beneath it, and the locals of its frames."""

import gc
import traceback
import types

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.mysql.login import Login

_STOPS = (type, types.ModuleType, types.FunctionType, types.CodeType, types.BuiltinFunctionType, types.FrameType)


def found_in(error, *, depth=12):
    """Every text that is reachable from an error, as `%tb`, a debugger or a log handler might reach it.

    The frames of tests are left out: they know the secrets. So are the objects that hold secrets on purpose and show
    none: boto3's sessions, logins, and `Secret` itself.
    """
    texts = ["".join(traceback.format_exception(type(error), error, error.__traceback__, chain=True))]
    seen, waiting = set(), [(error, 0)]
    while waiting:
        item, level = waiting.pop()
        if id(item) in seen or level > depth or isinstance(item, _STOPS) or _holds_on_purpose(item):
            continue
        seen.add(id(item))
        if isinstance(item, (str, bytes)):
            texts.append(repr(item))
        elif isinstance(item, types.TracebackType):
            frame = item.tb_frame
            if not frame.f_globals.get("__name__", "").startswith(("tests.", "_pytest", "__main__")):
                texts.append(repr(frame.f_locals))  # as `%xmode Verbose` has it
                waiting += [(value, level + 1) for value in frame.f_locals.values()]
            waiting.append((item.tb_next, level))
        else:
            waiting += [(value, level + 1) for value in gc.get_referents(item)]
    return "\n".join(texts)


def _holds_on_purpose(item):
    return type(item).__module__ == "boto3.session" or isinstance(item, (Login, Secret))


def frames_of(error):
    """The modules of an error's frames, and of those of the errors beneath it."""
    modules, seen, waiting = [], set(), [error]
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        modules += [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(link.__traceback__)]
        waiting += [link.__cause__, link.__context__]
    return modules
