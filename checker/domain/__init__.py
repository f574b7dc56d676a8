"""What is asked, what is known and what follows: documents, services, rules and decisions.

Pure: no input, no output, no clock of its own, and nothing imported of the rest of `checker`.
"""
