"""The connector: fetches the list from a source that publishes it, by itself and again and again.

The institutions are to fetch the list automatically over the network (中办发〔2016〕64号, 五(一):
通过网络自动抓取失信被执行人名单信息). The connector knows where files stand and in which order they
follow each other. What stands in them is the feeds' matter (`checker.registry`), which take them in
as they take what a court sends.
"""
