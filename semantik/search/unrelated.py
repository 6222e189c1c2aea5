"""Questions about everyday things, few of which any one collection answers. Plain values.

What they find in a collection is what chance finds there: see `semantik/search/backgrounds.py`.
"""

QUERIES = (
    "How long do I boil an egg?",
    "What is the offside rule in football?",
    "Which plants survive in deep shade?",
    "How do I change the tyre of a bicycle?",
    "Who painted the ceiling of the chapel?",
    "What does the gearbox oil cost?",
    "How many players are in an orchestra?",
    "Why does my cat sleep all day?",
    "What is the capital of Mongolia?",
    "How do I knit a pair of socks?",
    "When does the ferry to the island leave?",
    "How is cheese made from goat milk?",
    "What causes a stomach ulcer?",
    "How do volcanoes form under the sea?",
    "Which guitar strings sound warm?",
    "What is the penalty for parking on the pavement?",
    "How do I renew a passport that has expired?",
    "What did the actor say at the award ceremony?",
    "How do I sort an array in descending order?",
    "Which vaccine does a puppy need first?",
    "How high is the mortgage rate this year?",
    "When was the printing press invented?",
    "How do bees find their way home?",
    "What is a good opening move in chess?",
    "How do I remove red wine from a carpet?",
    "What is the boiling point of nitrogen?",
    "Which tribes lived along the river?",
    "How do I train for a first marathon?",
    "What does the second amendment say?",
    "How is the tax on a company car computed?",
    "Who commanded the fleet in the battle?",
    "How do I tune the antenna of a radio?",
)
