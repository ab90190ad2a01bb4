"""A server that asks for a token: the browser asks its user, and the page needs nothing more."""

import pytest
from playwright.sync_api import Error


def test_the_page_works_with_the_token_as_password(visit, guarded: tuple[str, str]) -> None:
    origin, token = guarded
    page = visit(origin, http_credentials={"username": "me", "password": token})
    page.allowed.append("401")  # the question that the browser asks its user after
    page.write(7, 0.7)
    page.sees("7")
    page.page.check("#consent")
    page.page.click("#bars button >> nth=7")
    page.page.wait_for_selector("#samples li")


def test_without_it_there_is_no_page(visit, guarded: tuple[str, str]) -> None:
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        visit(guarded[0])
