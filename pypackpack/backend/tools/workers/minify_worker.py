"""A child process that makes Python modules smaller, on the Python that they are built for; one request per line.

Request: ``{"source": <base64>, "docstrings": false, "annotations": false, "locals": false}``, each telling whether that may
go (or be renamed). Answer: ``{"text": <base64>}``, or ``{"kept": reason}`` for a module that stays as it is. To
``{"version": true}`` it answers ``{"minifier": "3.4.0"}``.

Comments and blanks go always, and what Python does not need to give the same answers. What a program can ask about itself
stays unless the request says otherwise: names, signatures, docstrings, annotations, ``assert``, and the names of the module (no
literal is hoisted to one).
"""

import ast
import base64
import io
import json
import sys
import tokenize
import warnings

sys.path.pop(0)  # the folder of this script: nothing in it may shadow a module of the library
sys.path.append(sys.argv[1])  # where the library is; started with -S, there is nothing else but the standard library
sys.dont_write_bytecode = True

import python_minifier  # from the folder that the caller names


def nested(body, inside=False):
    """Yield the annotations in a class's body that stand in a statement of it, as ``if``, and not right in it."""
    for statement in body:
        if isinstance(statement, ast.AnnAssign) and inside:
            yield statement
        if not isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from nested([each for each in ast.iter_child_nodes(statement) if not isinstance(each, ast.expr)], True)


def removable(text):
    """Return which annotations of a module may go.

    Those of classes stay: of which a decorator or a base makes something cannot be seen, they have any names. So do, in a module
    that has such, those of arguments by which ``functools.singledispatch`` chooses.
    """
    nodes = list(ast.walk(ast.parse(text)))
    functions = [each for each in nodes if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    decorators = [decorator for function in functions for decorator in function.decorator_list]
    classes = [each for each in nodes if isinstance(each, ast.ClassDef)]
    return python_minifier.RemoveAnnotationsOptions(
        remove_variable_annotations=not any(True for each in classes for _ in nested(each.body)),
        remove_return_annotations=True,
        remove_argument_annotations=not any(isinstance(each, ast.Attribute) and each.attr == "register" for each in decorators),
        remove_class_attribute_annotations=False,
    )


def minified(request):
    """Answer one request."""
    data = base64.b64decode(request["source"])
    try:
        stream = io.BytesIO(data)
        encoding = tokenize.detect_encoding(stream.readline)[0]
        text = data.decode(encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = python_minifier.minify(
                text,
                remove_annotations=removable(text) if request["annotations"] else False,
                remove_literal_statements=request["docstrings"],
                rename_locals=request["locals"],
                rename_globals=False,
                hoist_literals=False,
                convert_posargs_to_args=False,
                remove_dead_branches=False,  # `if False: yield` is what makes a generator
                remove_asserts=False,
                remove_debug=False,
                preserve_shebang=True,
            )
            compile(made, "minified", "exec", dont_inherit=True)
    except SyntaxError:
        return {"kept": "Python cannot read it"}
    except MemoryError:
        raise  # that is about this machine: such an answer would be kept
    except Exception as error:  # noqa: BLE001 - whatever the library cannot do is an answer about this module
        return {"kept": f"{type(error).__name__}: {error}".splitlines()[0]}
    fresh = f"{made}\n".encode()
    if len(fresh) >= len(data):
        return {"kept": ""}
    return {"text": base64.b64encode(fresh).decode()}


def version():
    """Return the library's version, as the record beside it has it."""
    import importlib.metadata  # noqa: PLC0415 - asked once

    return next(found.version for found in importlib.metadata.distributions(name="python-minifier", path=[sys.argv[1]]))


def main():
    """Answer until stdin ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        sys.stdout.write(json.dumps({"minifier": version()} if "version" in request else minified(request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
