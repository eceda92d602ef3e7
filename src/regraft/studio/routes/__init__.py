"""The studio's addresses, one group to a file."""

from typing import Annotated

from fastapi import Depends, Request

from regraft.studio.sessions import Session
from regraft.studio.studio import Studio


def _studio(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found


def _session(request: Request) -> Session:
    found: Session = request.state.session
    return found


TheStudio = Annotated[Studio, Depends(_studio)]
TheSession = Annotated[Session, Depends(_session)]
