"""How others reach tenfold: HTTP, for programs and for a page in the browser. Needs the extra [serve]."""
