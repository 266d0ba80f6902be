// Package reactor tells a program when processes exit, without a thread or a
// goroutine for each of them and without asking again and again.
//
//	r, err := reactor.New(reactor.Config{})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//
//	p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
//	if err != nil {
//		return err
//	}
//	exits := make(chan reactor.Exit, 1)
//	if _, err := r.Watch(p, func(e reactor.Exit) { exits <- e }); err != nil {
//		return err
//	}
//	fmt.Println(<-exits) // exited with code 0
package reactor
