"""Simulated data in the form of published data sets: RxRx19a and RxRx1, with their truth beside."""
