package pool

const defaultNice = 0
