package pool

// jobList is a list of jobs from whose middle a job can be taken. A job is in one
// list at most.
type jobList struct {
	first, last *Job
	length      int
}

// jobLink is a job's place in a list.
type jobLink struct {
	list       *jobList
	prev, next *Job
}

func (l *jobList) pushBack(j *Job) { l.insertBefore(nil, j) }

// insert puts a job before those that were accepted after it.
func (l *jobList) insert(j *Job) {
	next := l.first
	for next != nil && next.number < j.number {
		next = next.link.next
	}
	l.insertBefore(next, j)
}

// insertBefore puts a job before another one of the list; nil: to the end.
func (l *jobList) insertBefore(next, j *Job) {
	prev := l.last
	if next != nil {
		prev = next.link.prev
		next.link.prev = j
	} else {
		l.last = j
	}
	if prev != nil {
		prev.link.next = j
	} else {
		l.first = j
	}
	j.link = jobLink{list: l, prev: prev, next: next}
	l.length++
}

// unlink takes the job out of the list that it is in.
func (j *Job) unlink() {
	l := j.link.list
	if j.link.prev == nil {
		l.first = j.link.next
	} else {
		j.link.prev.link.next = j.link.next
	}
	if j.link.next == nil {
		l.last = j.link.prev
	} else {
		j.link.next.link.prev = j.link.prev
	}
	l.length--
	j.link = jobLink{}
}
