"""Drawings as SVG without a plotting library: a page of a hundred of them takes milliseconds.

They have the looks of the figures of matplotlib, and the page decides their colours and their size.
"""
