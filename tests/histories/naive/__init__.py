"""A second, naive wallet of everything: it remembers each decided event and works all else out again from that list.

Written from the law's text, not from `processor/domain`. Amounts are whole minor units of the wallet, and of the event
where the name ends in ``_event``. It answers events in the order in which they are decided; who waits for whom is not
its business, nor is time beyond a day: no period, session or raise of these histories ends.
"""
