package pool

// jobList is a first-in-first-out list of jobs from whose middle a job can be
// taken. A job is in one list at most.
type jobList struct {
	first, last *Job
	length      int
}

// jobLink is a job's place in a list.
type jobLink struct {
	list       *jobList
	prev, next *Job
}

func (l *jobList) pushBack(j *Job) {
	j.link = jobLink{list: l, prev: l.last}
	if l.last == nil {
		l.first = j
	} else {
		l.last.link.next = j
	}
	l.last = j
	l.length++
}

func (l *jobList) pushFront(j *Job) {
	j.link = jobLink{list: l, next: l.first}
	if l.first == nil {
		l.last = j
	} else {
		l.first.link.prev = j
	}
	l.first = j
	l.length++
}

func (l *jobList) popFront() *Job {
	j := l.first
	if j != nil {
		j.unlink()
	}
	return j
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
