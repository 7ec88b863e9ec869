"""The English words by which a question is understood; everything else in it may be a name."""

# fmt: off
ACRONYMS = frozenset("""
    A I AI AM AND API ATH ATR BUY CAGR CEO CFO DCF DIY EBIT EBITDA EMA EPS ESG ETF EU EUR FAQ FOMO FY GBP GDP HELLO HI
    HOLD HOW IPO IS IT JPY MACD ME MY NASDAQ NEWS NO NOT NYSE OF OK OR PE PEG PLEASE PM ROE ROI RSI SEC SELL SMA STOCK
    THE TTM UK US USA USD VS WHAT WHY YES YOY YTD
""".split())

STOP_WORDS = frozenset("""
    a about above after again all also am an any analyse analysis analyze and are as ask at average averages be been
    before behind being below best better between both but by can chart close closed closing company companies compare
    compared comparing comparison corporation could current currently daily day days did do does doing done down
    drawdown each earn else even ever explain fall fallen fell figures find firm for from future get give go going gone
    good great had has have help her here high higher highest his history hold holding how i idea if in indicate
    indicates indicator indicators inform information into invest investing investment investments is it its just know
    last lately latest less let like listed live long look looking looks low lower lowest make many market markets may
    me mean meaning means might moment momentum money month months more most move moved moves moving much my need new
    news next no not now of off on one opinion or other our out outlook over overview own past per percent perform
    performance performed performing performs please point position present price priced prices quote quotes rate rated
    recent recently recommend recommendation return returned returns right rise risen risk risks risky rose safe say see
    sell selling session share shares she should show since situation so some standing stand start stock stocks strong
    summary technical technicals tell term terms than thank thanks that the their them then there these they think this
    time times to today tomorrow too trade traded trading trend trending trends turn under up update us use value values
    versus view volatile volatility volume vs want was way we weak week weeks well were what whats when where whether
    which while who whos why will with worse worst worth would year years yesterday yet you your
    buy buying bought bad did hi hello hey vs. uptrend downtrend bullish bearish cheap expensive
    rsi macd sma ema atr bollinger band bands stochastic index etf fund against than
    one two three four five six twelve couple few symbol symbols ticker tickers name names
""".split())

SEPARATORS = frozenset({"and", "or", "vs", "vs.", "versus", "with", "against", "to", "than", "between", ",", ";", "/"})

TOPICS: dict[str, frozenset[str]] = {
    "price": frozenset("price quote cost trading worth close closed closing".split()),
    "trend": frozenset("trend trending trends average averages sma ema moving".split()),
    "momentum": frozenset("momentum rsi macd stochastic overbought oversold".split()),
    "volatility": frozenset("volatility volatile risk risks risky drawdown atr safe bollinger".split()),
    "performance": frozenset("performance performed performing return returns year month months".split()),
    "comparison": frozenset("compare compared comparing comparison versus vs against better than".split()),
    "advice": frozenset("""
        buy buying sell selling invest investing investment investments hold recommend recommendation should worth
    """.split()),
    "meaning": frozenset("mean means meaning explain indicate indicates".split()),
}
# fmt: on
