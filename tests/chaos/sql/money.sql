-- What all players and the house have together, by currency: nothing, as money only moves between them.
SELECT currency, sum(balance) AS left_over
FROM (
    SELECT currency, balance FROM croupier.accounts
    UNION ALL
    SELECT currency, balance FROM croupier.house_accounts
) AS everything
GROUP BY currency
ORDER BY currency;
