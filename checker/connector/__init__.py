"""The connector: fetches the list again and again from a source that publishes it.

The institutions are to fetch the list automatically over the network (中办发〔2016〕64号, 五(一):
通过网络自动抓取失信被执行人名单信息). The connector knows the places and the order of files. The
feeds (`checker.intake`) read the contents of files, as they read what a court sends.
"""
